-- Events on their way to the broker. Columns up to last_error, the five statuses and idx_outbox_status_created are the
-- seed's; sequence gives the order of insertion.
CREATE TABLE outbox_events (
  sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id        VARCHAR(255) NOT NULL UNIQUE,
  event_type      VARCHAR(255) NOT NULL,
  event_source    VARCHAR(255) NOT NULL,
  event_data      TEXT NOT NULL,
  content_type    VARCHAR(100) NOT NULL DEFAULT 'application/json',
  created_at      TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  published_at    TIMESTAMP,
  status          VARCHAR(50) NOT NULL DEFAULT 'pending',
  retry_count     INTEGER NOT NULL DEFAULT 0,
  last_error      TEXT,
  data_encoding   VARCHAR(10) NOT NULL DEFAULT 'json',
  attributes      TEXT,
  instance_id     VARCHAR(255),
  activity_id     VARCHAR(255),
  next_attempt_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  locked_by       VARCHAR(36),
  CONSTRAINT valid_outbox_status CHECK (
    status IN ('pending', 'published', 'failed', 'invalid', 'expired')
  )
);
CREATE INDEX idx_outbox_status_created ON outbox_events(status, created_at);
-- Only what can be claimed is in it, in the order in which it is due.
CREATE INDEX idx_outbox_due ON outbox_events(next_attempt_at, sequence) WHERE status = 'pending' AND locked_by IS NULL;
CREATE INDEX idx_outbox_locked ON outbox_events(locked_by) WHERE locked_by IS NOT NULL;

CREATE TABLE workflow_instances (
  instance_id   VARCHAR(255) NOT NULL PRIMARY KEY,
  workflow_name VARCHAR(255) NOT NULL,
  status        VARCHAR(50) NOT NULL DEFAULT 'running',
  input_data    TEXT NOT NULL,
  output_data   TEXT,
  error         TEXT,
  owner_epoch   VARCHAR(36),
  fence         BIGINT NOT NULL DEFAULT 0,
  started_at    TIMESTAMP NOT NULL,
  finished_at   TIMESTAMP,
  CONSTRAINT valid_instance_status CHECK (
    status IN ('running', 'compensating', 'completed', 'failed', 'cancelled', 'parked')
  )
);
CREATE INDEX idx_instances_unfinished ON workflow_instances(owner_epoch, started_at)
  WHERE status IN ('running', 'compensating');

CREATE TABLE workflow_history (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id VARCHAR(255) NOT NULL,
  activity_id VARCHAR(255) NOT NULL,
  position    INTEGER NOT NULL,
  event_type  VARCHAR(50) NOT NULL,
  event_data  TEXT NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 1,
  created_at  TIMESTAMP NOT NULL,
  UNIQUE (instance_id, activity_id)
);

CREATE TABLE workflow_compensations (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id   VARCHAR(255) NOT NULL,
  activity_id   VARCHAR(255) NOT NULL,
  activity_name VARCHAR(255) NOT NULL,
  args          TEXT NOT NULL,
  done_at       TIMESTAMP,
  created_at    TIMESTAMP NOT NULL
);
CREATE INDEX idx_compensations_instance ON workflow_compensations(instance_id);

-- Running processes. What an epoch owns is its own as long as its row is here.
CREATE TABLE worker_epochs (
  epoch      VARCHAR(36) NOT NULL PRIMARY KEY,
  worker_id  VARCHAR(255) NOT NULL,
  host       VARCHAR(255) NOT NULL,
  process    VARCHAR(64) NOT NULL,
  started_at TIMESTAMP NOT NULL,
  expires_at TIMESTAMP NOT NULL
);
