--
-- Never twice, never too much: the statement's answers, the shared ones, the
-- limits, and what can be seen of all that.
--

\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url');
SELECT magic('card', 'card.not_active') AS refused \gset
SELECT jibit_stats_reset();
SELECT jibit_cache_clear() IS NOT NULL AS cleared;  -- of what other tests have left
CREATE TABLE cards AS SELECT card FROM generate_series(1, 1000) i,
  LATERAL (SELECT (ARRAY['6037991234567893', '6104331234567890'])[1 + i % 2] AS card) c;

-- Neither cache: a call for each column, a call for each row.
SELECT (jibit_card('6037991234567893')).bank, (jibit_card('6037991234567893')).type;
SELECT calls();

-- Within a statement equal inquiries cost one call.
SET jibit.statement_cache = on;
SELECT bank, type, owner_name FROM (SELECT (jibit_card('6037991234567893')).*) c;
SELECT calls();
SELECT count((jibit_card_to_iban(card)).iban) FROM cards;
SELECT calls();
SELECT cached, attempts FROM jibit_last_call();

-- Another statement asks again, also in the same transaction; so does what
-- comes after a COMMIT in a procedure.
BEGIN;
SELECT bank FROM jibit_card('6037991234567893');
SELECT bank FROM jibit_card('6037991234567893');
COMMIT;
SELECT calls();
DO $$
BEGIN
  PERFORM jibit_card('6037991234567893');
  PERFORM jibit_card('6037991234567893');
  COMMIT;
  PERFORM jibit_card('6037991234567893');
  PERFORM jibit_card('6037991234567893');
END
$$;
SELECT calls();

-- Successes only; after an error the next statement begins anew.
DO $$
BEGIN
  FOR i IN 1..3 LOOP
    BEGIN
      PERFORM jibit_card(magic('card', 'card.not_active'));
    EXCEPTION WHEN SQLSTATE 'JB003' THEN
    END;
  END LOOP;
END
$$;
SELECT calls();
SELECT (jibit_card('6037991234567893')).bank, 1 / 0;
SELECT bank FROM jibit_card('6037991234567893');
SELECT calls();

-- Not what changes from call to call.
SELECT count(*) FROM generate_series(1, 3) i, LATERAL (SELECT jibit_balances() LIMIT i) b;
SELECT calls();

-- Another user has his own rights to the profile.
UPDATE jibit_credentials SET roles = '{postgres}' WHERE profile = 'default';
CREATE ROLE regress_jibit_other;
SELECT jibit_grant('regress_jibit_other');
GRANT USAGE ON SCHEMA public TO regress_jibit_other;
CREATE FUNCTION as_other(card text) RETURNS text LANGUAGE sql SECURITY DEFINER
  SET search_path = public, jibit AS 'SELECT bank FROM jibit_card(card)';
ALTER FUNCTION as_other(text) OWNER TO regress_jibit_other;
SELECT state FROM expect_error($$SELECT (jibit_card('6037991234567893')).bank, as_other('6037991234567893')$$);
UPDATE jibit_credentials SET roles = NULL;
DROP FUNCTION as_other(text);
SELECT jibit_revoke('regress_jibit_other');
REVOKE USAGE ON SCHEMA public FROM regress_jibit_other;
DROP ROLE regress_jibit_other;
SET jibit.statement_cache = off;
SELECT calls();

-- The shared cache, which also survives a rollback.
SET jibit.cache_ttl = '1min';
SET jibit.track_id = 'first';
BEGIN;
SELECT bank, track_id FROM jibit_card('6037991234567893');
ROLLBACK;
SET jibit.track_id = 'second';
SELECT bank, track_id FROM jibit_card('6037-9912-3456-7893');
SELECT cached, track_id, http_status, attempts FROM jibit_last_call();
SELECT calls();
SELECT ordinality, (result).bank, (result).track_id FROM jibit_card_batch('{6037991234567893,6104331234567890}');
SELECT calls();

-- By profile; not errors, not balances; as long as the session wants.
SET jibit.profile = 'sandbox';
SELECT bank, track_id FROM jibit_card('6037991234567893');
RESET jibit.profile;
SELECT state FROM expect_error(format('SELECT jibit_card(%L)', :'refused'));
SELECT state FROM expect_error(format('SELECT jibit_card(%L)', :'refused'));
SELECT count(*) FROM jibit_balances();
SELECT count(*) FROM jibit_balances();
SELECT calls();
SET jibit.cache_ttl_card = 0;
SELECT track_id FROM jibit_card('6037991234567893');
RESET jibit.cache_ttl_card;
SELECT track_id FROM jibit_card('6037991234567893');
SELECT calls();

SELECT jibit_cache_clear('iban');
SELECT jibit_cache_clear('card');
SELECT jibit_cache_clear();
SELECT state, message FROM expect_error($$SELECT jibit_cache_clear('nothing')$$);
SELECT track_id FROM jibit_card('6037991234567893');
SELECT calls();
SET jibit.cache_ttl = 0;

-- A limit for careless statements. Hits do not count.
SET jibit.max_calls_per_statement = 2;
SET jibit.statement_cache = on;
SELECT count(jibit_card(card)) FROM cards;
SELECT ordinality, (result).postal_code, (error).code FROM jibit_postal_address_batch('{1234567890,1234567891,1234567892}');
SELECT state, code, detail FROM expect_error($$SELECT count(jibit_postal_address(c)) FROM unnest('{1234567890,1234567891,1234567892}'::text[]) c$$);
RESET jibit.max_calls_per_statement;
SELECT calls();

-- What deferred triggers ask at the end of a transaction is of one statement.
CREATE TABLE late (code text);
CREATE FUNCTION ask_late() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	address jibit_address;
BEGIN
	address := jibit_postal_address(NEW.code);
	PERFORM jibit_postal_address(NEW.code);
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ask AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION ask_late();
SET jibit.max_calls_per_statement = 2;
\set VERBOSITY terse
INSERT INTO late SELECT '1234567890' FROM generate_series(1, 3);
SELECT calls();
INSERT INTO late VALUES ('1234567890'), ('1234567891'), ('1234567892');
SELECT calls();
BEGIN;
INSERT INTO late VALUES ('1234567890'), ('1234567891');
SELECT (jibit_postal_address('1234567892')).postal_code;
COMMIT;
SELECT calls();
\set VERBOSITY default
RESET jibit.max_calls_per_statement;
DROP TABLE late;
DROP FUNCTION ask_late();

-- What can be seen.
SELECT inquiry, profile, calls, succeeded, failed, cache_hits, statement_hits, retries, last_error,
       bytes_received > 0 AS bytes, total_time > 0 AND mean_time <= max_time AS times, p50 <= p95 AND p95 <= p99 AS quantiles
FROM jibit_stats ORDER BY inquiry, profile COLLATE "C";
SELECT jibit_stats_reset();
SELECT count(*) FROM jibit_stats;
SET jibit.cache_ttl_iban = '2h';
SELECT inquiry, cache_ttl, daily_limit FROM jibit_inquiries WHERE inquiry IN ('card', 'iban', 'balances');
RESET jibit.cache_ttl_iban;

DROP TABLE cards;
ALTER SYSTEM RESET jibit.breaker_threshold;
\set ECHO none
SELECT format('ALTER SYSTEM SET %s = %L', name, setting) FROM settings_before \gexec
\set ECHO all
SELECT pg_reload_conf();
