-- For pages of instances, in both directions: of all, of a status, of a workflow.
CREATE INDEX idx_instances_started ON workflow_instances(started_at, instance_id);
CREATE INDEX idx_instances_status ON workflow_instances(status, started_at, instance_id);
CREATE INDEX idx_instances_workflow ON workflow_instances(workflow_name, started_at, instance_id);
-- For what is removed once it is old enough. An instance is not, as long as its events wait.
CREATE INDEX idx_instances_finished ON workflow_instances(finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX idx_outbox_pending_of_instance ON outbox_events(instance_id)
  WHERE status = 'pending' AND instance_id IS NOT NULL;
