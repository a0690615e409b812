-- Events on their way to the broker. Columns up to last_error, the five statuses and idx_outbox_status_created are the
-- seed's; sequence gives the order of insertion. MySQL commits each of these statements by itself: they can be run again.
-- Names are compared byte by byte, trailing spaces too.
CREATE TABLE IF NOT EXISTS outbox_events (
  sequence        BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_id        VARCHAR(255) NOT NULL UNIQUE,
  event_type      VARCHAR(255) NOT NULL,
  event_source    VARCHAR(255) NOT NULL,
  event_data      LONGTEXT NOT NULL,
  content_type    VARCHAR(100) NOT NULL DEFAULT 'application/json',
  created_at      DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  published_at    DATETIME(6),
  status          VARCHAR(50) NOT NULL DEFAULT 'pending',
  retry_count     INTEGER NOT NULL DEFAULT 0,
  last_error      LONGTEXT,
  data_encoding   VARCHAR(10) NOT NULL DEFAULT 'json',
  attributes      LONGTEXT,
  instance_id     VARCHAR(255),
  activity_id     VARCHAR(255),
  next_attempt_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  locked_by       VARCHAR(36),
  CONSTRAINT valid_outbox_status CHECK (
    status IN ('pending', 'published', 'failed', 'invalid', 'expired')
  ),
  INDEX idx_outbox_status_created (status, created_at),
  -- In the order in which they are due.
  INDEX idx_outbox_due (status, locked_by, next_attempt_at, sequence),
  INDEX idx_outbox_locked (locked_by)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS workflow_instances (
  instance_id   VARCHAR(255) NOT NULL PRIMARY KEY,
  workflow_name VARCHAR(255) NOT NULL,
  status        VARCHAR(50) NOT NULL DEFAULT 'running',
  input_data    LONGTEXT NOT NULL,
  output_data   LONGTEXT,
  error         LONGTEXT,
  owner_epoch   VARCHAR(36),
  fence         BIGINT NOT NULL DEFAULT 0,
  started_at    DATETIME(6) NOT NULL,
  finished_at   DATETIME(6),
  CONSTRAINT valid_instance_status CHECK (
    status IN ('running', 'compensating', 'completed', 'failed', 'cancelled', 'parked')
  ),
  INDEX idx_instances_unfinished (status, owner_epoch, started_at),
  INDEX idx_instances_owner (owner_epoch)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS workflow_history (
  id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance_id VARCHAR(255) NOT NULL,
  activity_id VARCHAR(255) NOT NULL,
  position    INTEGER NOT NULL,
  event_type  VARCHAR(50) NOT NULL,
  event_data  LONGTEXT NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 1,
  created_at  DATETIME(6) NOT NULL,
  UNIQUE (instance_id, activity_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS workflow_compensations (
  id            BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance_id   VARCHAR(255) NOT NULL,
  activity_id   VARCHAR(255) NOT NULL,
  activity_name VARCHAR(255) NOT NULL,
  args          LONGTEXT NOT NULL,
  done_at       DATETIME(6),
  created_at    DATETIME(6) NOT NULL,
  INDEX idx_compensations_instance (instance_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Running processes. What an epoch owns is its own as long as its row is here.
CREATE TABLE IF NOT EXISTS worker_epochs (
  epoch      VARCHAR(36) NOT NULL PRIMARY KEY,
  worker_id  VARCHAR(255) NOT NULL,
  host       VARCHAR(255) NOT NULL,
  process    VARCHAR(64) NOT NULL,
  started_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
