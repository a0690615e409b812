-- Why an instance is to be stopped and undone; its owner looks for it. Why one is parked, and what it was doing, for when
-- it is resumed: 'running' or 'compensating'.
ALTER TABLE workflow_instances
  ADD COLUMN IF NOT EXISTS cancel_reason LONGTEXT,
  ADD COLUMN IF NOT EXISTS park_reason LONGTEXT,
  ADD COLUMN IF NOT EXISTS parked_from VARCHAR(50);
-- MySQL assigns from left to right. What is parked has a parked_from once this has been run.
UPDATE workflow_instances SET
  parked_from = CASE WHEN error LIKE 'history wants to undo %' THEN 'compensating' ELSE 'running' END,
  park_reason = error,
  error = CASE WHEN error LIKE 'history wants to undo %' THEN error END
  WHERE status = 'parked' AND parked_from IS NULL;
