-- Why an instance is to be stopped and undone; its owner looks for it. Why one is parked, and what it was doing, for when
-- it is resumed: 'running' or 'compensating'.
ALTER TABLE workflow_instances
  ADD COLUMN IF NOT EXISTS cancel_reason LONGTEXT,
  ADD COLUMN IF NOT EXISTS park_reason LONGTEXT,
  ADD COLUMN IF NOT EXISTS parked_from VARCHAR(50);
