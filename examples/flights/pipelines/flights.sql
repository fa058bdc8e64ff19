-- Topic `flights` → a row for every departure, and how many there were in each minute.
-- This is Flink SQL: the same text runs on a Flink cluster that has connectors of these names.

CREATE TABLE flights (
  `date` STRING,                -- local time of departure: 2001/01/01 06:55
  delay INT,                    -- minutes at arrival, negative when early
  distance INT,                 -- miles
  origin STRING,
  destination STRING,
  departure AS TO_TIMESTAMP(`date`, 'yyyy/MM/dd HH:mm'),
  -- The file is sorted by departure; a minute's grace is for those who send it otherwise.
  WATERMARK FOR departure AS departure - INTERVAL '1' MINUTE
) WITH (
  'connector' = 'kafka',
  'topic' = 'flights',
  'format' = 'json',
  'scan.startup.mode' = 'earliest-offset'
);

-- No two flights of the file have origin, departure and destination in common.
CREATE TABLE departures (
  origin STRING,
  departure TIMESTAMP(3),
  destination STRING,
  delay INT,
  distance INT,
  PRIMARY KEY (origin, departure, destination) NOT ENFORCED
) WITH (
  'connector' = 'cassandra',
  'keyspace' = 'flights',
  'table' = 'departures'
);

CREATE TABLE departures_per_minute (
  `day` DATE,
  `minute` TIMESTAMP(3),
  departures BIGINT,
  PRIMARY KEY (`day`, `minute`) NOT ENFORCED
) WITH (
  'connector' = 'cassandra',
  'keyspace' = 'flights',
  'table' = 'departures_per_minute'
);

INSERT INTO departures
SELECT origin, departure, destination, delay, distance
FROM flights;

INSERT INTO departures_per_minute
SELECT CAST(window_start AS DATE), window_start, COUNT(*)
FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(departure), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
