-- When an instance is taken up by somebody, or, if it is owned, when its owner looks at it. The end of time: when
-- something happens to it. run counts how often it continued as new; start_input is then the input of the first run.
-- deadline_at: then it is cancelled.
ALTER TABLE workflow_instances ADD COLUMN wake_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00.000000';
ALTER TABLE workflow_instances ADD COLUMN run INTEGER NOT NULL DEFAULT 1;
ALTER TABLE workflow_instances ADD COLUMN start_input TEXT;
ALTER TABLE workflow_instances ADD COLUMN run_started_at TIMESTAMP;
ALTER TABLE workflow_instances ADD COLUMN parent_id VARCHAR(255);
ALTER TABLE workflow_instances ADD COLUMN deadline_at TIMESTAMP;
ALTER TABLE workflow_instances ADD COLUMN cancelled_by VARCHAR(255);
DROP INDEX idx_instances_unfinished;
DROP INDEX idx_instances_cancel;
CREATE INDEX idx_instances_due ON workflow_instances(owner_epoch, wake_at, started_at) WHERE status IN ('running', 'compensating');
CREATE INDEX idx_instances_parent ON workflow_instances(parent_id) WHERE parent_id IS NOT NULL;

-- What instances wait for: kind is timer, event, child or retry. Without an event type or the id of a child, channel is
-- empty.
CREATE TABLE workflow_waits (
  instance_id VARCHAR(255) NOT NULL,
  activity_id VARCHAR(255) NOT NULL,
  channel     VARCHAR(255) NOT NULL,
  position    INTEGER NOT NULL,
  kind        VARCHAR(50) NOT NULL,
  due_at      TIMESTAMP,
  data        TEXT,
  PRIMARY KEY (instance_id, activity_id, channel)
);
CREATE INDEX idx_waits_channel ON workflow_waits(channel) WHERE kind = 'event';

-- mode is that of all subscriptions: broadcast or competing.
CREATE TABLE channels (
  channel VARCHAR(255) NOT NULL PRIMARY KEY,
  mode    VARCHAR(50) NOT NULL
);
CREATE TABLE channel_subscriptions (
  channel     VARCHAR(255) NOT NULL,
  instance_id VARCHAR(255) NOT NULL,
  PRIMARY KEY (channel, instance_id)
);
CREATE INDEX idx_subscriptions_instance ON channel_subscriptions(instance_id);

-- What is not received yet. Without an instance_id it is for whoever of the competing takes it first.
CREATE TABLE channel_messages (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  channel      VARCHAR(255) NOT NULL,
  instance_id  VARCHAR(255),
  message      TEXT NOT NULL,
  published_at TIMESTAMP NOT NULL
);
CREATE INDEX idx_messages_of_instance ON channel_messages(instance_id, channel, id) WHERE instance_id IS NOT NULL;
CREATE INDEX idx_messages_published ON channel_messages(published_at);
CREATE INDEX idx_messages_of_anyone ON channel_messages(channel, id) WHERE instance_id IS NULL;

-- Events that were received. One that comes again is not processed again.
CREATE TABLE inbox_events (
  event_source VARCHAR(255) NOT NULL,
  event_id     VARCHAR(255) NOT NULL,
  event_type   VARCHAR(255) NOT NULL,
  received_at  TIMESTAMP NOT NULL,
  PRIMARY KEY (event_source, event_id)
);
CREATE INDEX idx_inbox_received ON inbox_events(received_at);

CREATE TABLE workflow_groups (
  group_name  VARCHAR(255) NOT NULL,
  instance_id VARCHAR(255) NOT NULL,
  PRIMARY KEY (group_name, instance_id)
);
CREATE INDEX idx_groups_instance ON workflow_groups(instance_id);

-- History of runs that have continued as new.
CREATE TABLE workflow_history_archive (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id VARCHAR(255) NOT NULL,
  run         INTEGER NOT NULL,
  activity_id VARCHAR(255) NOT NULL,
  position    INTEGER NOT NULL,
  event_type  VARCHAR(50) NOT NULL,
  event_data  TEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  created_at  TIMESTAMP NOT NULL,
  archived_at TIMESTAMP NOT NULL
);
CREATE INDEX idx_archive_instance ON workflow_history_archive(instance_id, run);
