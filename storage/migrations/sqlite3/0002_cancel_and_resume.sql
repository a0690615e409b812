-- Why an instance is to be stopped and undone; its owner looks for it.
ALTER TABLE workflow_instances ADD COLUMN cancel_reason TEXT;
-- What a parked instance was doing, for when it is resumed: 'running' or 'compensating'.
ALTER TABLE workflow_instances ADD COLUMN parked_from VARCHAR(50);
CREATE INDEX idx_instances_cancel ON workflow_instances(owner_epoch)
  WHERE cancel_reason IS NOT NULL AND status = 'running';
