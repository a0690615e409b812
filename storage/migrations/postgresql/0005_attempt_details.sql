-- How a step came about, as JSON text, for people: `duration_ms` from its first attempt on, `errors` of the last ones that
-- failed before.
ALTER TABLE workflow_history ADD COLUMN details TEXT;
