-- Topic users_created -> typed columns -> table spark_streams.created_users.
-- No host is named: both ends are those of the node.
SET 'pipeline.name' = 'users';

CREATE TABLE users_created (
  id              STRING,
  first_name      STRING,
  last_name       STRING,
  gender          STRING,
  address         STRING,
  post_code       STRING,   -- a number in some countries: it becomes its text
  email           STRING,
  username        STRING,
  dob             STRING,
  registered_date STRING,
  phone           STRING,
  picture         STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'users_created',
  'format' = 'json',
  'scan.startup.mode' = 'earliest-offset'
);

-- Keyspace and table are made if they do not exist: id UUID PRIMARY KEY, the others TEXT.
CREATE TABLE created_users (
  id              STRING,
  first_name      STRING,
  last_name       STRING,
  gender          STRING,
  address         STRING,
  post_code       STRING,
  email           STRING,
  username        STRING,
  dob             STRING,
  registered_date STRING,
  phone           STRING,
  picture         STRING,
  PRIMARY KEY (id) NOT ENFORCED
) WITH (
  'connector' = 'cassandra',
  'keyspace' = 'spark_streams',
  'table' = 'created_users',
  'tidemill.cql.type.id' = 'uuid'
);

-- A record that is no JSON, or whose id is none, goes to users_created.dlq with its reason.
INSERT INTO created_users
SELECT id, first_name, last_name, gender, address, post_code, email, username, dob,
       registered_date, phone, picture
FROM users_created;
