-- When an instance is taken up by somebody, or, if it is owned, when its owner looks at it. The end of time: when
-- something happens to it. run counts how often it continued as new; start_input is then the input of the first run.
-- deadline_at: then it is cancelled.
ALTER TABLE workflow_instances
  ADD COLUMN IF NOT EXISTS wake_at DATETIME(6) NOT NULL DEFAULT '1970-01-01 00:00:00.000000',
  ADD COLUMN IF NOT EXISTS run INTEGER NOT NULL DEFAULT 1,
  ADD COLUMN IF NOT EXISTS start_input LONGTEXT,
  ADD COLUMN IF NOT EXISTS run_started_at DATETIME(6),
  ADD COLUMN IF NOT EXISTS parent_id VARCHAR(255),
  ADD COLUMN IF NOT EXISTS deadline_at DATETIME(6),
  ADD COLUMN IF NOT EXISTS cancelled_by VARCHAR(255),
  DROP INDEX IF EXISTS idx_instances_unfinished,
  ADD INDEX IF NOT EXISTS idx_instances_due (status, owner_epoch, wake_at, started_at),
  ADD INDEX IF NOT EXISTS idx_instances_parent (parent_id);

-- What instances wait for: kind is timer, event, child or retry. Without an event type or the id of a child, channel is
-- empty.
CREATE TABLE IF NOT EXISTS workflow_waits (
  instance_id VARCHAR(255) NOT NULL,
  activity_id VARCHAR(255) NOT NULL,
  channel     VARCHAR(255) NOT NULL,
  position    INTEGER NOT NULL,
  kind        VARCHAR(50) NOT NULL,
  due_at      DATETIME(6),
  data        LONGTEXT,
  PRIMARY KEY (instance_id, activity_id, channel)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE INDEX IF NOT EXISTS idx_waits_channel ON workflow_waits(channel);

-- mode is that of all subscriptions: broadcast or competing.
CREATE TABLE IF NOT EXISTS channels (
  channel VARCHAR(255) NOT NULL PRIMARY KEY,
  mode    VARCHAR(50) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE IF NOT EXISTS channel_subscriptions (
  channel     VARCHAR(255) NOT NULL,
  instance_id VARCHAR(255) NOT NULL,
  PRIMARY KEY (channel, instance_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE INDEX IF NOT EXISTS idx_subscriptions_instance ON channel_subscriptions(instance_id);

-- What is not received yet. Without an instance_id it is for whoever of the competing takes it first.
CREATE TABLE IF NOT EXISTS channel_messages (
  id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  channel      VARCHAR(255) NOT NULL,
  instance_id  VARCHAR(255),
  message      LONGTEXT NOT NULL,
  published_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE INDEX IF NOT EXISTS idx_messages_of_instance ON channel_messages(instance_id, channel, id);
CREATE INDEX IF NOT EXISTS idx_messages_published ON channel_messages(published_at);
CREATE INDEX IF NOT EXISTS idx_messages_of_anyone ON channel_messages(channel, id);

-- Events that were received. One that comes again is not processed again.
CREATE TABLE IF NOT EXISTS inbox_events (
  event_source VARCHAR(255) NOT NULL,
  event_id     VARCHAR(255) NOT NULL,
  event_type   VARCHAR(255) NOT NULL,
  received_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (event_source, event_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE INDEX IF NOT EXISTS idx_inbox_received ON inbox_events(received_at);

CREATE TABLE IF NOT EXISTS workflow_groups (
  group_name  VARCHAR(255) NOT NULL,
  instance_id VARCHAR(255) NOT NULL,
  PRIMARY KEY (group_name, instance_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE INDEX IF NOT EXISTS idx_groups_instance ON workflow_groups(instance_id);

-- History of runs that have continued as new.
CREATE TABLE IF NOT EXISTS workflow_history_archive (
  id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance_id VARCHAR(255) NOT NULL,
  run         INTEGER NOT NULL,
  activity_id VARCHAR(255) NOT NULL,
  position    INTEGER NOT NULL,
  event_type  VARCHAR(50) NOT NULL,
  event_data  LONGTEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  archived_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE INDEX IF NOT EXISTS idx_archive_instance ON workflow_history_archive(instance_id, run);
