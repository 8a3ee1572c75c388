-- The examples of README.md: test/checks/readme compares them, line by line.
-- What stands between them is the test's own: answers that vary are thrown
-- away, keys become the sandbox's.
\encoding UTF8
\getenv base_url JIBIT_SANDBOX_URL
SET client_min_messages = error;
DROP EXTENSION IF EXISTS jibit CASCADE;
RESET client_min_messages;
SET jibit.allow_http = on;
SET jibit.track_id = 'readme';
CREATE EXTENSION jibit;
-- Those that other tests have left behind.
SELECT jibit_forget_tokens();

-- The first query
COPY jibit_credentials (profile, api_key, secret_key) FROM STDIN (DELIMITER ' ');
default YOUR-API-KEY YOUR-SECRET-KEY
\.
SELECT profile, api_key, secret_key, base_url, roles FROM jibit_credentials;
SELECT jibit_set_credentials('sandbox-key', 'sandbox-secret', base_url => :'base_url');
SELECT iban, status, owners FROM jibit_card_to_iban('6037-9975-5123-4561');
BEGIN;
SELECT jibit_set_credentials('YOUR-API-KEY', 'YOUR-SECRET-KEY');
SELECT profile, api_key, secret_key, base_url = :'base_url' AS kept FROM jibit_credentials;
ROLLBACK;

-- Inquiries
SELECT * FROM jibit_card('6037997551234561');
SELECT * FROM jibit_iban('IR270170000000100324200001');
SELECT * FROM jibit_card_to_deposit('6037997551234561');
SELECT * FROM jibit_card_to_iban('6037997551234561');
SELECT * FROM jibit_card_to_iban_availability();
SELECT * FROM jibit_deposit_to_iban('MELLI', '0100324200001');
SELECT * FROM jibit_match_card('6037997551234561', '0084575948', '13600330');
SELECT * FROM jibit_match_card_name('6037997551234561', 'شیرین قاسمی');
SELECT * FROM jibit_match_deposit('MELLI', '0100324200001', '0084575948', '13600330');
SELECT * FROM jibit_match_deposit_name('MELLI', '0100324200001', 'حسین طاهری');
SELECT * FROM jibit_match_iban('IR270170000000100324200001', '0084575948', '13600330');
SELECT * FROM jibit_match_iban_name('IR270170000000100324200001', 'حسین طاهری');
SELECT * FROM jibit_match_shahkar('0084575948', '09121234568');
SELECT * FROM jibit_postal_address('1619735744');
SELECT * FROM jibit_postal_location('1619735744');
SELECT * FROM jibit_identity_similarity('0084575948', '13600331', first_name => 'علی', father_name => 'رضا');
SELECT * FROM jibit_foreigner('100000000001');
\x on
SELECT * FROM jibit_corporation('0453812907');
\x off
SELECT * FROM jibit_military_service('0084575948');
SELECT * FROM jibit_sana('0084575948', '09121234568');
SELECT * FROM jibit_balances();
SELECT * FROM jibit_daily_report('14030115');
-- What was asked so far today.
\o /dev/null
SELECT * FROM jibit_daily_report();
\o
SELECT * FROM jibit_request('/v1/cards', '{"number": "6037997551234561"}');
SELECT count(*), count(*) FILTER (WHERE NOT charged) AS free FROM jibit_inquiries;
SELECT inquiry FROM jibit_inquiries WHERE NOT charged;

CREATE TABLE customers (
  id int PRIMARY KEY,
  card text,
  iban text,
  national_code text,
  mobile text
);
INSERT INTO customers VALUES
  (1, '6037997551234561', 'IR270170000000100324200001', '0084575948', '09121234568'),
  (2, '6104331234567569', 'IR040120000000987654321094', '0123456789', '09121234560'),
  (3, NULL, 'IR440179999900620000000000', NULL, '09121234560');
SELECT id FROM customers WHERE jibit_match_shahkar(national_code, mobile);
SELECT id, jibit_match_shahkar(national_code, mobile)::boolean AS is_own FROM customers;
SELECT c.id, i.iban, i.owners[1].last_name
FROM customers c, LATERAL jibit_card_to_iban(c.card) i;

-- Many at once, without a call
SELECT ordinality, (result).iban, (error).code
FROM jibit_card_to_iban_batch(ARRAY['6037997551234561', '6104331234567569', '1']);
SELECT c.id, (b.result).matched, (b.error).code
FROM (SELECT array_agg(id ORDER BY id) AS ids,
             array_agg(national_code ORDER BY id) AS codes,
             array_agg(mobile ORDER BY id) AS mobiles
      FROM customers) a,
     jibit_match_shahkar_batch(a.codes, a.mobiles) b,
     LATERAL (SELECT a.ids[b.ordinality] AS id) c;
SELECT jibit_valid_iban('27 0170 0000 0010 0324 2000 01'), jibit_card_bank('6037997551234561'), jibit_to_jalali('2026-03-21');

-- Arguments
SELECT matched FROM jibit_match_shahkar('۰۰۸۴۵۷۵۹۴۸', '+98 912 123 4568');
SELECT status FROM jibit_iban('27 0170 0000 0010 0324 2000 01');
SELECT matched FROM jibit_match_card('6037997551234561', '0084575948', '1360/03/30');
SELECT matched FROM jibit_match_card('6037997551234561', '0084575948', date '1981-06-20');
SELECT * FROM jibit_iban('IR270170000000100324200002');

-- Errors
SELECT code, errcode, retryable, description FROM jibit_error_codes WHERE errcode = 'JB006';
SELECT description_fa FROM jibit_error_codes WHERE code = 'card.is_expired';

CREATE FUNCTION iban_verdict(iban text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  code text;
BEGIN
  RETURN (jibit_iban(iban)).status;
EXCEPTION
  WHEN SQLSTATE 'JB002' THEN
    RETURN 'no such account';
  WHEN SQLSTATE 'JB000' THEN
    GET STACKED DIAGNOSTICS code = CONSTRAINT_NAME;
    RETURN 'failed: ' || code;
END
$$;

SELECT iban_verdict('IR270170000000100324200001');
SELECT iban_verdict('IR440179999900620000000000');
SELECT iban_verdict('IR000000000000000000000000');

SET jibit.on_error = 'warning';
SELECT (jibit_card_to_iban('6037999900430007')).iban;
SELECT inquiry, http_status, attempts, (error).code, (error).errcode FROM jibit_last_call();
RESET jibit.on_error;

-- Triggers
CREATE TABLE payees (
  id int PRIMARY KEY,
  iban jibit_iban_text,
  bank text GENERATED ALWAYS AS (jibit_iban_bank(iban)) STORED,
  national_code text,
  mobile text
);
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON payees
  FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'status=ACTIVE,IDLE', 'unavailable=accept');
CREATE TRIGGER check_mobile BEFORE INSERT OR UPDATE ON payees
  FOR EACH ROW EXECUTE FUNCTION jibit_check_shahkar('national_code', 'mobile');
INSERT INTO payees VALUES (1, 'IR270170000000100324200001', DEFAULT, '0123456789', '09121234569');
SELECT * FROM payees;

-- In the background. The worker goes by the server's files; what stands there
-- is put back.
CREATE TABLE settings_before AS
  SELECT name, setting FROM pg_file_settings
  WHERE sourcefile ~ '/postgresql\.auto\.conf$' AND name LIKE 'jibit.%';
ALTER SYSTEM SET jibit.worker_databases = 'regression, contrib_regression';
ALTER SYSTEM SET jibit.allow_http = on;
SELECT pg_reload_conf();
CREATE TABLE verifications (
  customer int NOT NULL REFERENCES customers,
  request bigint NOT NULL
);
INSERT INTO verifications
SELECT id, jibit_submit('match_shahkar', jsonb_build_object('national_code', national_code, 'mobile', mobile))
FROM customers
WHERE national_code IS NOT NULL;
SELECT count(*) FROM verifications, jibit_collect(request, '30s');
SELECT v.customer, r.state, r.result -> 'matched' AS matched, (r.error).code
FROM verifications v JOIN jibit_requests r ON r.id = v.request
ORDER BY v.customer;
SELECT jibit_submit('card_to_iban', '{"card": "6037997551234561"}', run_after => now() + interval '1 second', priority => 10) AS id \gset
SELECT state, result ->> 'iban' AS iban FROM jibit_collect(:id, '10s');
SELECT jibit_cancel(:id);  -- false: too late
CREATE TRIGGER verify_mobile AFTER INSERT OR UPDATE ON customers
  FOR EACH ROW EXECUTE FUNCTION jibit_queue_inquiry('match_shahkar', 'national_code=national_code', 'mobile=mobile');
UPDATE customers SET mobile = '09121234569' WHERE id = 2;
SELECT max(id) AS latest FROM jibit_requests \gset
SELECT inquiry, arguments, state, (jsonb_populate_record(NULL::jibit_match, result)).matched FROM jibit_collect(:latest, '30s');
DROP TRIGGER verify_mobile ON customers;
-- As it was, and in the same order.
UPDATE customers SET mobile = '09121234560' WHERE id = 2;
UPDATE customers SET mobile = mobile WHERE id = 3;
\o /dev/null
SELECT inquiry, queued, running, succeeded, failed, rate, time_left FROM jibit_progress;
SELECT profile, inquiry, pause_code, pause_message, paused_until FROM jibit_progress WHERE paused_until IS NOT NULL;
\o
SELECT jibit_resume('default');
ALTER SYSTEM RESET jibit.worker_databases;
ALTER SYSTEM RESET jibit.allow_http;
\set ECHO none
SELECT format('ALTER SYSTEM SET %s = %L', name, setting) FROM settings_before \gexec
\set ECHO all
DROP TABLE settings_before;
SELECT pg_reload_conf();

-- A back office, from end to end
CREATE SCHEMA office;
CREATE TABLE office.customers (
  id int PRIMARY KEY,
  national_code jibit_national_code_text NOT NULL UNIQUE,
  mobile jibit_mobile_text NOT NULL
);
CREATE TABLE office.payees (
  id int PRIMARY KEY,
  customer int NOT NULL REFERENCES office.customers,
  iban jibit_iban_text NOT NULL,
  bank text GENERATED ALWAYS AS (jibit_iban_bank(iban)) STORED,
  status text,            -- what the API said
  checked_at timestamptz  -- and when; NULL: not yet
);
CREATE TRIGGER own_mobile BEFORE INSERT OR UPDATE ON office.customers
  FOR EACH ROW EXECUTE FUNCTION jibit_check_shahkar('national_code', 'mobile', 'unavailable=accept');
CREATE TRIGGER good_iban BEFORE INSERT OR UPDATE ON office.payees
  FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'unavailable=accept');
INSERT INTO office.customers VALUES (1, jibit_normalize_national_code('۰۰۸۴۵۷۵۹۴۸'), jibit_normalize_mobile('+98 912 123 4568'));
INSERT INTO office.payees (id, customer, iban) VALUES
  (1, 1, jibit_normalize_iban('27 0170 0000 0010 0324 2000 01')),
  (2, 1, jibit_normalize_iban('ir04 0120 0000 0098 7654 3210 94'));
-- Without the blocked one.
INSERT INTO office.payees (id, customer, iban) VALUES (1, 1, jibit_normalize_iban('27 0170 0000 0010 0324 2000 01'));
-- What an outage would have let in.
ALTER TABLE office.payees DISABLE TRIGGER good_iban;
INSERT INTO office.payees (id, customer, iban) VALUES (2, 1, jibit_normalize_iban('ir04 0120 0000 0098 7654 3210 94'));
ALTER TABLE office.payees ENABLE TRIGGER good_iban;
UPDATE office.payees p
SET status = coalesce((b.result).status, (b.error).code), checked_at = now()
FROM (SELECT array_agg(id ORDER BY id) AS ids, array_agg(iban::text ORDER BY id) AS ibans
      FROM office.payees
      WHERE checked_at IS NULL OR checked_at < now() - interval '1 month') due,
     jibit_iban_batch(due.ibans) b
WHERE p.id = due.ids[b.ordinality] AND (b.error).retryable IS NOT TRUE;
SELECT id, iban, bank, status FROM office.payees WHERE status <> 'ACTIVE';
SELECT id, status, checked_at IS NOT NULL AS is_checked FROM office.payees ORDER BY id;
DROP SCHEMA office CASCADE;

-- Credentials and rights. Rolled back, so that no role is left behind.
BEGIN;
CREATE ROLE back_office;
SELECT jibit_grant('back_office', ARRAY['card_to_iban', 'match_shahkar']);
SELECT jibit_revoke('back_office', ARRAY['match_shahkar']);
INSERT INTO jibit_credentials
  SELECT 'branch', api_key, secret_key, base_url FROM jibit_credentials;
ALTER ROLE back_office SET jibit.profile = 'branch';
UPDATE jibit_credentials SET roles = '{back_office}' WHERE profile = 'branch';
SET ROLE back_office;
SET jibit.profile = 'branch';
SELECT iban FROM jibit_card_to_iban('6037997551234561');
SELECT api_key FROM jibit_credentials;
ROLLBACK;

-- What it costs
SELECT c.id, i.*
FROM customers c, LATERAL jibit_card_to_iban(c.card) i;
CREATE TABLE iban_checks (customer int, verdict text, checked_at timestamptz);
INSERT INTO iban_checks (customer, verdict, checked_at)
SELECT c.id, iban_verdict(c.iban), clock_timestamp()
FROM customers c
WHERE c.iban IS NOT NULL
  AND NOT EXISTS (SELECT FROM iban_checks k WHERE k.customer = c.id)
LIMIT 100;
SELECT customer, verdict FROM iban_checks ORDER BY customer;

-- Seeing what happens
\o /dev/null
SELECT inquiry, calls, succeeded, failed, cache_hits, statement_hits FROM jibit_stats;
\o

-- Troubleshooting
\o /dev/null
SELECT * FROM jibit_check();
\o
-- Roles of the server can hold rights that are not this test's.
SELECT item, ok FROM jibit_check() WHERE item <> 'grants';
SELECT profile, state, last_error FROM jibit_token_status;

DROP FUNCTION iban_verdict(text);
DROP TABLE customers, iban_checks, payees, verifications;
