--
-- The queue, as one session sees it: what is submitted, what comes back. Each
-- test waits for the worker by jibit_collect().
--

\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url');
SELECT jibit_cache_clear() IS NOT NULL AS cleared;
SELECT magic('card', 'card.not_active') AS refused \gset

-- The worker has a session of its own, so what it needs is in the server's
-- files. One call at a time, so that the order shows.
ALTER SYSTEM SET jibit.worker_databases = 'regression, contrib_regression';
ALTER SYSTEM SET jibit.allow_http = on;
ALTER SYSTEM SET jibit.worker_concurrency = 1;
SELECT pg_reload_conf();
CREATE FUNCTION wait_until(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  is_met boolean;
BEGIN
  FOR i IN 1 .. 600 LOOP
    PERFORM pg_stat_clear_snapshot();
    EXECUTE 'SELECT ' || condition INTO is_met;
    IF is_met THEN
      RETURN true;
    END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
  RETURN false;
END
$$;
SELECT wait_until($$EXISTS (SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'jibit worker')$$);

-- A request, from the submission to the result.
SELECT calls() IS NOT NULL AS counted;
SELECT jibit_submit('card', '{"card": "6037-9912-3456-7893"}') AS id \gset
SELECT inquiry, profile, state, result ->> 'number' AS number, result ->> 'bank' AS bank, error FROM jibit_collect(:id, '30s');
SELECT calls();
SELECT id = :id AS same, inquiry, arguments, profile, state, attempts, submitted_by = current_user AS mine,
       submitted_at <= finished_at AS in_order, run_after <= finished_at AS due, error
FROM jibit_requests WHERE id = :id \gx
-- The result can be made the inquiry's row again.
SELECT number, bank, type FROM jsonb_populate_record(NULL::jibit_card_info, (SELECT result FROM jibit_requests WHERE id = :id));

-- A failure of its own.
SELECT jibit_submit('card', jsonb_build_object('card', :'refused')) AS id \gset
SELECT state, attempts, result, (error).code, (error).errcode, (error).http_status, (error).retryable,
       (error).message <> '' AS has_message, (error).track_id <> '' AS has_track_id
FROM jibit_collect(:id, '30s') \gx
CREATE TABLE asked (n bigint, id bigint);

-- Values are looked at when it runs: each fails alone, without a call.
SELECT calls() IS NOT NULL AS counted;
INSERT INTO asked SELECT n, id FROM jibit_submit_batch('card_to_iban', ARRAY[
  '{"card": "6037991234567894"}', '{"card": ""}', '{"card": null}', '{"card": ["x"]}',
  '{"card": 6037991234567893}']::jsonb[]) WITH ORDINALITY AS s (id, n);
SELECT n, state, attempts, result ->> 'number' AS number, (error).code, (error).errcode, (error).http_status, (error).message
FROM asked a, jibit_collect(a.id, '30s') ORDER BY n;
SELECT calls();

-- Names are looked at once, and nothing of the statement is queued.
SELECT state, left(message, 70) AS message, hint FROM unnest(ARRAY[
  $$SELECT jibit_submit('crad', '{"card": "6037991234567893"}')$$,
  $$SELECT jibit_submit(NULL, '{}')$$,
  $$SELECT jibit_submit('card', NULL)$$,
  $$SELECT jibit_submit('card', '{}')$$,
  $$SELECT jibit_submit('card', '{"Card": "6037991234567893"}')$$,
  $$SELECT jibit_submit('match_card', '{"card": "6037991234567893", "national_code": "0084575948"}')$$,
  $$SELECT jibit_submit('identity_similarity', '{"national_code": "0084575948", "birth_date": "13600331", "name": "x"}')$$,
  $$SELECT jibit_submit('balances', '{"card": "6037991234567893"}')$$,
  $$SELECT jibit_submit('card', '["6037991234567893"]')$$,
  $$SELECT jibit_submit('card', '"6037991234567893"')$$,
  $$SELECT jibit_submit('card', 'null')$$,
  $$SELECT jibit_submit('card', '{"card": "6037991234567893"}', '')$$,
  $$SELECT jibit_submit('card', '{"card": "6037991234567893"}', repeat('x', 1000))$$,
  $$SELECT jibit_submit('card', '{"card": "6037991234567893"}', priority => 101)$$,
  $$SELECT jibit_submit('card', '{"card": "6037991234567893"}', priority => -101)$$,
  $$SELECT jibit_submit('card', '{"card": "6037991234567893"}', 'no_such')$$,
  $$SELECT jibit_submit_batch(NULL, '{}')$$,
  $$SELECT jibit_submit_batch('card', NULL)$$,
  $$SELECT jibit_submit_batch('card', ARRAY['{"card": "6037991234567893"}', NULL]::jsonb[])$$,
  $$SELECT jibit_submit_batch('card', ARRAY['{"card": "6037991234567893"}', '{}']::jsonb[])$$]) s, expect_error(s);
-- A name that is too long to be shown is cut between two letters.
SELECT state, message ~ U&'"x\06CC{31}"$' AS is_whole FROM expect_error($$SELECT jibit_submit('card', jsonb_build_object('x' || repeat(U&'\06CC', 40), 1))$$);
SELECT jibit_submit_batch('card', '{}');
SELECT jibit_submit_batch('crad', '{}');
SET jibit.profile = 'no_such';
SELECT state, message FROM expect_error($$SELECT jibit_submit_batch('card', ARRAY['{"card": "6037991234567893"}']::jsonb[])$$);
RESET jibit.profile;
SELECT count(*) FROM jibit_requests WHERE finished_at IS NULL;

-- Every inquiry can be queued; its result has the columns of its row as keys,
-- and is an array where the function returns a set.
CREATE TABLE every (inquiry text, id bigint);
INSERT INTO every
SELECT inquiry, jibit_submit(inquiry, (
  SELECT coalesce(jsonb_object_agg(a, CASE a
           WHEN 'card' THEN '6037997551234561' WHEN 'iban' THEN 'IR270170000000100324200001'
           WHEN 'bank' THEN 'MELLI' WHEN 'number' THEN '0100324200001'
           WHEN 'national_code' THEN '0084575948' WHEN 'birth_date' THEN '13600331'
           WHEN 'mobile' THEN '09121234568' WHEN 'day' THEN '14030115' WHEN 'fida' THEN '100000000001'
           WHEN 'code' THEN CASE inquiry WHEN 'corporation' THEN '0453812907' ELSE '1619735744' END
           ELSE 'x' END), '{}')
  FROM unnest(arguments) a))
FROM jibit_inquiries;
SELECT e.inquiry, r.state, jsonb_typeof(r.result) AS result
FROM every e, jibit_collect(e.id, '30s') r ORDER BY 1;
-- The columns of each, and those that the results lack or have besides.
SELECT e.inquiry, c.column_names, k.keys
FROM every e
JOIN jibit_requests r USING (id)
CROSS JOIN LATERAL (
  SELECT array_agg(DISTINCT a.attname::text) AS column_names, bool_or(f.proretset) AS is_set
  FROM functions f JOIN pg_type t ON t.oid = f.prorettype
  JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0
  WHERE f.proname = 'jibit_' || e.inquiry) c
CROSS JOIN LATERAL (
  SELECT array_agg(DISTINCT key #>> '{}') AS keys
  FROM jsonb_path_query(r.result, '$[*].keyvalue().key') key) k
WHERE c.column_names IS DISTINCT FROM k.keys
   OR (jsonb_typeof(r.result) = 'array') IS DISTINCT FROM c.is_set;
SELECT result - 'track_id' AS result FROM every JOIN jibit_requests USING (id, inquiry)
WHERE inquiry IN ('iban', 'match_shahkar', 'postal_location') ORDER BY inquiry;
-- A report without a day is today's.
SELECT jibit_submit('daily_report', '{}') AS id \gset
SELECT state, jsonb_path_query_array(result, '$[*] ? (@.service == "sandbox_seven")') AS result FROM jibit_collect(:id, '30s');

-- What may pass by itself is tried again.
SELECT sandbox('set', '{"fault": "http.503", "fault_count": 1}') IS NOT NULL AS set;
SELECT jibit_submit('postal_address', '{"code": "1619735745"}') AS id \gset
SELECT state, attempts, error FROM jibit_collect(:id, '30s');

-- Order: by priority, then as submitted. Until it is due, a request waits.
SELECT jibit_cache_clear() IS NOT NULL AS cleared;
BEGIN;
SELECT jibit_submit('iban', '{"iban": "IR040120000000987654321094"}') AS first,
       jibit_submit('iban', '{"iban": "IR270170000000100324200001"}', priority => 2) AS urgent,
       jibit_submit('iban', '{"iban": "IR130170000006962259293456"}', priority => 2) AS second,
       jibit_submit('card', '{"card": "6037997551234561"}', run_after => now() + interval '1 hour', priority => 9) AS later \gset
COMMIT;
SELECT state FROM jibit_collect(:first, '30s');
-- The latest call first.
SELECT jsonb_path_query(sandbox('requests', '{"last": 3}'), '$.requests[*].query.value') AS called;
SELECT state, attempts, finished_at - submitted_at AS took FROM jibit_collect(:later);
SELECT state FROM jibit_collect(:later, '0.01s');
SELECT state, run_after - submitted_at AS run_after FROM jibit_requests WHERE id = :later;
SELECT state, run_after = submitted_at AS at_once
FROM jibit_requests WHERE id IN (:first, :urgent, :second) ORDER BY id;

-- Taking back.
SELECT jibit_cancel(:later), jibit_cancel(:later) AS again, jibit_cancel(:first) AS finished, jibit_cancel(0) AS unknown, jibit_cancel(NULL) AS none;
SELECT state, attempts, finished_at IS NOT NULL AS finished, result, error FROM jibit_collect(:later, '30s');
SELECT jibit_collect(0, '30s') IS NULL AS unknown, jibit_collect(NULL) IS NULL AS none;
SELECT count(*) FROM jibit_collect(0, '30s') WHERE id IS NOT NULL;

-- In a transaction: not before its commit, nor after a rollback.
BEGIN;
SELECT jibit_submit('card', '{"card": "6037997551234561"}') AS id \gset
SELECT state FROM jibit_requests WHERE id = :id;
SELECT state, message, hint FROM expect_error(format('SELECT jibit_collect(%s)', :id));
SELECT state FROM expect_error(format('SELECT jibit_collect(%s, %L)', :id, '30s'));
SAVEPOINT s;
SELECT jibit_submit('card', '{"card": "6037997551234561"}') AS inner_id \gset
SELECT state FROM expect_error(format('SELECT jibit_collect(%s)', :inner_id));
ROLLBACK TO s;
SELECT jibit_collect(:inner_id) IS NULL AS gone;
SELECT jibit_cancel(:id);
SELECT state FROM jibit_collect(:id);
ROLLBACK;
SELECT jibit_collect(:id) IS NULL AS gone;
BEGIN;
SELECT jibit_submit('card', '{"card": "6037997551234561"}') AS id \gset
SAVEPOINT s;
SELECT jibit_submit('card', '{"card": "6037997551234561"}') AS inner_id \gset
RELEASE s;
SELECT state FROM expect_error(format('SELECT jibit_collect(%s)', :inner_id));
COMMIT;
SELECT state FROM jibit_collect(:id, '30s');
SELECT state FROM jibit_collect(:inner_id, '30s');
-- What others commit meanwhile is seen, whatever the transaction's snapshot.
SELECT jibit_submit('card', '{"card": "6037997551234561"}') AS id \gset
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) > 0 AS some FROM jibit_requests;
SELECT state FROM jibit_collect(:id, '30s');
COMMIT;
-- Not where nothing can be written; looking is possible there.
BEGIN READ ONLY;
SELECT state, message FROM unnest(ARRAY[
  $$SELECT jibit_submit('card', '{"card": "6037997551234561"}')$$,
  $$SELECT jibit_submit_batch('card', '{}')$$,
  $$SELECT jibit_cancel(1)$$,
  $$SELECT jibit_resume()$$]) s, expect_error(s);
SELECT state FROM jibit_collect(:id);
COMMIT;

-- A profile: the session's, or another; the session's other settings do not
-- matter.
SET jibit.on_error = warning;
SET jibit.validate = off;
SET jibit.track_id = 'mine';
SELECT jibit_submit('card', '{"card": "1"}', 'sandbox') AS other \gset
SET jibit.profile = 'sandbox';
SELECT jibit_submit('card', '{"card": "2"}') AS mine \gset
RESET jibit.profile;
RESET jibit.on_error;
RESET jibit.validate;
SET jibit.track_id = 'regress';
SELECT profile, state, (error).code, (error).http_status, (error).track_id FROM jibit_collect(:other, '30s');
SELECT profile, state, (error).code FROM jibit_collect(:mine, '30s');

-- What concerns a profile pauses it, until its keys are others. A probe may
-- be on its way at any moment, so attempts are not shown.
SELECT jibit_set_credentials('no-such-key', 'sandbox-secret', 'broken', :'base_url');
SELECT jibit_submit('card', '{"card": "6037997551234561"}', 'broken') AS id \gset
SELECT wait_until($$EXISTS (SELECT FROM jibit_pauses WHERE profile = 'broken')$$);
SELECT profile, inquiry, code, message <> '' AS has_message, paused_until > paused_at AS until FROM jibit_pauses;
SELECT profile, inquiry, queued + running AS waiting, succeeded, failed, cancelled, rate, time_left, pause_code
FROM jibit_progress WHERE profile = 'broken';
SELECT jibit_set_credentials('sandbox-key', 'sandbox-secret', 'broken', :'base_url');
SELECT state, error FROM jibit_collect(:id, '30s');
SELECT wait_until($$NOT EXISTS (SELECT FROM jibit_pauses)$$);
-- So does one whose row cannot be used.
UPDATE jibit_credentials SET base_url = 'ftp://nowhere' WHERE profile = 'broken';
SELECT jibit_submit('card', '{"card": "6037997551234561"}', 'broken') AS id \gset
SELECT wait_until($$EXISTS (SELECT FROM jibit_pauses WHERE profile = 'broken')$$);
SELECT message FROM jibit_pauses;
UPDATE jibit_credentials SET base_url = :'base_url' WHERE profile = 'broken';
SELECT state, error FROM jibit_collect(:id, '30s');
SELECT wait_until($$NOT EXISTS (SELECT FROM jibit_pauses)$$);
-- The same for an inquiry; deleting the row ends it.
SELECT fault('daily_limit.reached');
SELECT jibit_submit('foreigner', '{"fida": "100000000002"}', 'broken') AS id \gset
SELECT wait_until($$EXISTS (SELECT FROM jibit_pauses WHERE inquiry = 'foreigner')$$);
SELECT profile, inquiry, queued, running, pause_code, (paused_until AT TIME ZONE 'Asia/Tehran')::time AS until
FROM jibit_progress WHERE paused_until IS NOT NULL;
SELECT state, attempts, (error).code FROM jibit_collect(:id);
DELETE FROM jibit_pauses;
SELECT state, attempts, error FROM jibit_collect(:id, '30s');

-- So does jibit_resume(), of all pauses or of some.
SELECT fault('daily_limit.reached');
SELECT jibit_submit('foreigner', '{"fida": "100000000003"}', 'broken') AS id \gset
SELECT wait_until($$EXISTS (SELECT FROM jibit_pauses WHERE inquiry = 'foreigner')$$);
SELECT jibit_resume('default') AS other_profile, jibit_resume('broken', 'card') AS other_inquiry, jibit_resume('broken', 'foreigner') AS resumed;
SELECT state, attempts, error FROM jibit_collect(:id, '30s');
SELECT fault('daily_limit.reached');
SELECT jibit_submit('foreigner', '{"fida": "100000000004"}', 'broken') AS id \gset
SELECT wait_until($$EXISTS (SELECT FROM jibit_pauses WHERE inquiry = 'foreigner')$$);
SELECT jibit_resume() AS resumed;
SELECT state, attempts, error FROM jibit_collect(:id, '30s');
SELECT jibit_resume() AS none;
SELECT state, message FROM expect_error($$SELECT jibit_resume(inquiry => 'crad')$$);

-- A table with other columns, as an update may bring while the library is the
-- old one, takes no requests.
BEGIN;
ALTER TABLE jibit_queue ADD COLUMN note text;
SELECT state, message FROM expect_error($$SELECT jibit_submit('card', '{"card": "6037997551234561"}')$$);
ROLLBACK;

-- How far everything is.
SELECT profile, inquiry, queued, running, succeeded, failed, cancelled, rate > 0 AS has_rate, time_left, paused_until
FROM jibit_progress WHERE inquiry IN ('card', 'card_to_iban', 'foreigner', 'postal_address') ORDER BY 1, 2;

-- Rights: to submit, and to the inquiry itself; one sees one's own.
CREATE ROLE regress_jibit_queue;
GRANT USAGE ON SCHEMA jibit TO regress_jibit_queue;
SET ROLE regress_jibit_queue;
SELECT state, message FROM unnest(ARRAY[
  $$SELECT jibit_submit('card', '{"card": "6037997551234561"}')$$,
  $$SELECT jibit_submit_batch('card', '{}')$$,
  $$SELECT jibit_collect(1)$$,
  $$SELECT jibit_cancel(1)$$,
  $$SELECT FROM jibit_requests$$,
  $$SELECT FROM jibit_progress$$]) s, expect_error(s);
RESET ROLE;
SELECT jibit_grant('regress_jibit_queue', ARRAY['card']);
SELECT jibit_submit('card', '{"card": "6037997551234561"}', run_after => 'infinity') AS others \gset
SET ROLE regress_jibit_queue;
SELECT state, message, hint FROM unnest(ARRAY[
  $$SELECT jibit_submit('iban', '{"iban": "IR270170000000100324200001"}')$$,
  $$SELECT jibit_submit_batch('iban', '{}')$$,
  $$SELECT FROM jibit_queue$$,
  $$SELECT FROM jibit_pauses$$,
  $$SELECT jibit_resume()$$,
  $$SELECT nextval('jibit_queue_id')$$]) s, expect_error(s);
SELECT jibit_submit('card', '{"card": "6037997551234561"}') AS id \gset
SELECT state, submitted_by FROM jibit_collect(:id, '30s');
SELECT jibit_collect(:others) IS NULL AS not_mine, jibit_cancel(:others) AS cancelled;
SELECT submitted_by, count(*) FROM jibit_requests GROUP BY 1;
SELECT inquiry, succeeded FROM jibit_progress;
RESET ROLE;
SELECT jibit_cancel(:others);
-- The profile's roles count too.
INSERT INTO jibit_credentials SELECT 'closed', api_key, secret_key, base_url, '{pg_monitor}' FROM jibit_credentials WHERE profile = 'default';
SET ROLE regress_jibit_queue;
SELECT state, message FROM expect_error($$SELECT jibit_submit('card', '{"card": "6037997551234561"}', 'closed')$$);
RESET ROLE;
UPDATE jibit_credentials SET base_url = 'ftp://nowhere' WHERE profile = 'closed';
SET ROLE regress_jibit_queue;
SELECT state, message FROM expect_error($$SELECT jibit_submit('card', '{"card": "6037997551234561"}', 'closed')$$);
-- Both are looked at again when it runs.
SELECT jibit_submit('card', '{"card": "6037997551234561"}', run_after => 'infinity') AS id \gset
RESET ROLE;
SELECT jibit_revoke('regress_jibit_queue', ARRAY['card']);
BEGIN;
UPDATE jibit_queue SET run_after = now() WHERE id = :id;
SELECT jibit_submit('balances', '{}') AS other \gset
COMMIT;
SELECT wait_until(format('finished_at IS NOT NULL FROM jibit_queue WHERE id = %s', :id));
SELECT state FROM jibit_collect(:other, '30s');
SELECT state, (error).code, (error).errcode, (error).message FROM jibit_queue WHERE id = :id;
SELECT jibit_grant('regress_jibit_queue', ARRAY['card']);
-- A role under another name still has what has not finished.
SET ROLE regress_jibit_queue;
SELECT jibit_submit('card', '{"card": "6037997551234561"}', run_after => 'infinity') AS id \gset
RESET ROLE;
ALTER ROLE regress_jibit_queue RENAME TO regress_jibit_renamed;
SET ROLE regress_jibit_renamed;
SELECT state, submitted_by FROM jibit_requests WHERE id = :id;
SELECT state FROM jibit_collect(:id);
SELECT jibit_cancel(:id) AS cancelled;
RESET ROLE;
ALTER ROLE regress_jibit_renamed RENAME TO regress_jibit_queue;
SELECT jibit_revoke('regress_jibit_queue');
SELECT has_function_privilege('regress_jibit_queue', 'jibit_submit(text, jsonb, text, timestamptz, int)', 'EXECUTE') AS submits,
       has_table_privilege('regress_jibit_queue', 'jibit_requests', 'SELECT') AS sees;
DROP ROLE regress_jibit_queue;

-- The trigger that submits.
CREATE TABLE people (id int, code text, mobile text, born date, note text);
CREATE TRIGGER ask AFTER INSERT OR UPDATE ON people
  FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('match_shahkar', 'national_code=code', 'mobile=mobile');
SELECT max(id) AS latest FROM jibit_requests \gset
INSERT INTO people VALUES (1, '0084575948', '09121234568'), (2, '0084575948', NULL), (3, '123', '09121234568');
UPDATE people SET note = 'x';
UPDATE people SET code = code, mobile = mobile;
UPDATE people SET mobile = '09121234568' WHERE id = 2;
SELECT inquiry, arguments, profile FROM jibit_requests WHERE id > :latest ORDER BY id;
SELECT r.state, r.result -> 'matched' AS matched, (r.error).code
FROM jibit_requests q, jibit_collect(q.id, '30s') r WHERE q.id > :latest ORDER BY q.id;
-- Dates are Gregorian in a column, whatever the session's DateStyle.
DROP TRIGGER ask ON people;
CREATE TRIGGER ask AFTER INSERT ON people FOR EACH ROW
  EXECUTE FUNCTION jibit_queue_inquiry('identity_similarity', 'national_code=code', 'birth_date=born', 'first_name=note', 'last_name=mobile', 'profile=sandbox');
SELECT max(id) AS latest FROM jibit_requests \gset
SET DateStyle = German;
INSERT INTO people VALUES (4, '0084575948', NULL, '1981-06-21', 'x');
RESET DateStyle;
SELECT arguments, profile FROM jibit_requests WHERE id > :latest;
SELECT r.state FROM jibit_requests q, jibit_collect(q.id, '30s') r WHERE q.id > :latest;
-- What it refuses, the first time that it fires.
CREATE FUNCTION refuses(definition text, statement text DEFAULT $$INSERT INTO people VALUES (5, '0084575948', '09121234568')$$,
                        OUT state text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
  DROP TRIGGER IF EXISTS ask ON people;
  EXECUTE 'CREATE TRIGGER ask ' || definition;
  SELECT e.state, e.message INTO state, message FROM expect_error(statement) e;
END
$$;
SELECT r.* FROM unnest(ARRAY[
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry()$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('crad', 'card=code')$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card')$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'code')$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=cord')$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=code', 'crad=mobile')$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=code', 'crad=note')$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=code', 'profile=')$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=code', 'profile=no_such')$$,
  $$AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=code', 'card=mobile')$$,
  $$BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=code')$$,
  $$AFTER INSERT ON people FOR EACH STATEMENT EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=code')$$]) d, refuses(d) r;
SELECT * FROM refuses($$AFTER DELETE ON people FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('card', 'card=code')$$, 'DELETE FROM people');
SELECT jibit_queue_inquiry();
DROP TABLE people;
DROP FUNCTION refuses(text, text);

-- Nothing is left.
SELECT count(*) FROM jibit_requests WHERE finished_at IS NULL;
DROP TABLE asked, every;
DROP FUNCTION wait_until(text);
ALTER SYSTEM RESET jibit.worker_databases;
ALTER SYSTEM RESET jibit.allow_http;
ALTER SYSTEM RESET jibit.worker_concurrency;
\set ECHO none
SELECT format('ALTER SYSTEM SET %s = %L', name, setting) FROM settings_before \gexec
\set ECHO all
DROP TABLE settings_before;
SELECT pg_reload_conf();
