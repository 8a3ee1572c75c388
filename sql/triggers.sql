--
-- Triggers that keep bad data out.
--

\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url');
SELECT magic('iban', 'iban.not_found') AS missing, magic('iban', 'http.502') AS failing, magic('card', 'card.not_active') AS refused \gset

-- All fields of an error that a row's refusal carries.
CREATE FUNCTION refusal(statement text, OUT state text, OUT code text, OUT place text, OUT message text)
LANGUAGE plpgsql AS $$
DECLARE
  s text; t text; c text;
BEGIN
  EXECUTE statement;
  message := 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, code = CONSTRAINT_NAME, message = MESSAGE_TEXT,
    s = SCHEMA_NAME, t = TABLE_NAME, c = COLUMN_NAME;
  place := concat_ws('.', nullif(s, ''), nullif(t, ''), nullif(c, ''));
END
$$;

CREATE TABLE payees (id int, iban text, owner text, national_code text, birth_date date, born text, n int,
                     g text GENERATED ALWAYS AS (iban) STORED);
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON payees
  FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban');
SELECT (jibit_iban('IR270170000000100324200001')).owners[1] AS o \gset
SELECT first_name || ' ' || last_name AS owner FROM (SELECT (:'o'::jibit_owner).*) o \gset
SELECT calls() IS NOT NULL AS counted;

-- A trigger goes by the server's cache_ttl, whatever the session has set.
SELECT jibit_cache_clear() IS NOT NULL AS cleared;

-- Accepted, passed, refused.
INSERT INTO payees (id, iban) VALUES (1, 'IR270170000000100324200001'), (2, NULL);
SELECT calls();
SELECT * FROM unnest(ARRAY[
  $$INSERT INTO payees (iban) VALUES ('IR270170000000100324200002')$$,
  format('INSERT INTO payees (iban) VALUES (%L)', :'missing'),
  format('INSERT INTO payees (iban) VALUES (%L)', :'failing'),
  $$UPDATE payees SET iban = 'x' WHERE id = 1$$]) s, refusal(s);
SELECT calls();

-- What leaves the columns as they are costs nothing; equal values cost one
-- call in a statement.
UPDATE payees SET n = 1;
UPDATE payees SET iban = iban, n = 2;
SELECT calls();
SELECT jibit_cache_clear() IS NOT NULL AS cleared;
SET jibit.statement_cache = on;
INSERT INTO payees (iban) SELECT 'IR270170000000100324200001' FROM generate_series(1, 50);
SELECT calls();
COPY payees (iban) FROM STDIN;
IR270170000000100324200001
IR270170000000100324200001
\.
SELECT calls();
SET jibit.statement_cache = off;

-- Status, owner and person.
DROP TRIGGER check_iban ON payees;
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON payees FOR EACH ROW
  EXECUTE FUNCTION jibit_check_iban('iban', 'status=IDLE', 'owner=owner', 'national_code=national_code', 'birth_date=birth_date');
SELECT * FROM refusal($$INSERT INTO payees (iban) VALUES ('IR270170000000100324200001')$$);
DROP TRIGGER check_iban ON payees;
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON payees FOR EACH ROW
  EXECUTE FUNCTION jibit_check_iban('iban', 'owner=owner', 'national_code=national_code', 'birth_date=birth_date', 'normalize=on');
SELECT calls();
INSERT INTO payees (id, iban, owner, national_code, birth_date)
VALUES (3, 'ir27 0170 0000 0010 0324 2000 01', :'owner', '0123456789', '1981-06-20');
SELECT iban, g FROM payees WHERE id = 3;
SELECT calls();
SELECT * FROM unnest(ARRAY[
  $$UPDATE payees SET owner = 'somebody' WHERE id = 3$$,
  $$UPDATE payees SET birth_date = '1981-06-21' WHERE id = 3$$,
  $$UPDATE payees SET national_code = '0123456788' WHERE id = 3$$]) s, refusal(s);
-- What is wrong without a call is told before one is paid for.
SELECT jibit_cache_clear() IS NOT NULL AS cleared;
SELECT calls() IS NOT NULL AS counted;
SELECT * FROM unnest(ARRAY[
  $$INSERT INTO payees (iban, national_code, birth_date) VALUES ('IR270170000000100324200001', '0123456788', '1981-06-20')$$,
  $$INSERT INTO payees (iban, national_code, birth_date) VALUES ('IR270170000000100324200001', '0123456789', '2981-06-20')$$,
  $$INSERT INTO payees (iban, owner) VALUES ('IR270170000000100324200001', ' ')$$]) s, refusal(s);
SELECT calls();

-- Cards and mobiles.
CREATE TABLE contacts (card text, code text, mobile text);
CREATE TRIGGER check_card BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION jibit_check_card('card');
CREATE TRIGGER check_mobile BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION jibit_check_shahkar('code', 'mobile', 'normalize=on');
INSERT INTO contacts VALUES ('6037991234567893', '0123456789', '+989123456789');
SELECT * FROM contacts;
SELECT * FROM unnest(ARRAY[
  format('INSERT INTO contacts VALUES (%L)', :'refused'),
  $$INSERT INTO contacts VALUES (NULL, '0123456789', '0912345678')$$,
  $$INSERT INTO contacts VALUES (NULL, '0123456788', '09123456789')$$,
  $$INSERT INTO contacts VALUES (NULL, '0123456789', '09123456788')$$]) s, refusal(s);
SELECT jibit_cache_clear() IS NOT NULL AS cleared;
SELECT fault('matching.unknown');
SELECT * FROM refusal($$INSERT INTO contacts VALUES (NULL, '0123456789', '09123456789')$$);

-- An outage.
DROP TRIGGER check_iban ON payees;
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON payees FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'unavailable=accept');
SELECT jibit_cache_clear() IS NOT NULL AS cleared;
SELECT fault('http.502', 3);
INSERT INTO payees (iban) VALUES ('IR270170000000100324200001');
SELECT fault('');
SELECT * FROM refusal($$INSERT INTO payees (iban) VALUES ('IR270170000000100324200002')$$);

-- What is accepted in an outage, and what is not: an outage says nothing of
-- the row, but a limit of this server's own and a wrong answer do not pass.
SET client_min_messages = error;
SELECT f AS fault, r.state, r.code, coalesce(r.message = 'accepted', false) AS accepted
FROM unnest(ARRAY['card.source_bank_is_not_active', 'daily_limit.reached', 'balance.not_enough', 'providers.not_available', 'http.502', 'close',
  'handler.not_found', 'forbidden', 'not-json', 'iban.black_listed', 'conversion.failed']) f,
  LATERAL (SELECT fault(f, 0)) armed,
  LATERAL (SELECT r.* FROM refusal(format('INSERT INTO payees (iban) SELECT %L WHERE %L IS NOT NULL', 'IR270170000000100324200001', armed)) r) r;
SELECT fault('');
RESET client_min_messages;
SET jibit.max_calls_per_statement = 1;
SELECT state, code, place FROM refusal($$INSERT INTO payees (iban) VALUES ('IR270170000000100324200001'), ('IR680120000002236352194256')$$);
RESET jibit.max_calls_per_statement;

-- A session cannot weaken it.
SELECT jibit_cache_clear() IS NOT NULL AS cleared;
SET jibit.on_error = 'warning';
SET jibit.validate = off;
SET jibit.profile = 'nobody';
SET jibit.timeout = '1ms';
SET jibit.connect_timeout = '1ms';
SET jibit.max_retries = 0;
SET jibit.cache_ttl = '1d';
SET jibit.cache_ttl_iban = '1d';
SELECT calls() IS NOT NULL AS counted;
SELECT * FROM refusal($$INSERT INTO payees (iban) VALUES ('IR270170000000100324200002')$$);
SELECT * FROM refusal(format('INSERT INTO payees (iban) VALUES (%L)', :'missing'));
INSERT INTO payees (iban) VALUES ('IR270170000000100324200001');
RESET jibit.timeout;
RESET jibit.connect_timeout;
RESET jibit.max_retries;
RESET jibit.cache_ttl;
RESET jibit.cache_ttl_iban;
RESET jibit.profile;
RESET jibit.validate;
RESET jibit.on_error;
SELECT calls();

-- A profile of its own, and offline only.
DROP TRIGGER check_iban ON payees;
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON payees FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'profile=sandbox');
INSERT INTO payees (iban) VALUES ('IR270170000000100324200001');
SELECT profile FROM jibit_last_call();
DROP TRIGGER check_iban ON payees;
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON payees FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'online=off');
SELECT calls() IS NOT NULL AS counted;
INSERT INTO payees (iban) VALUES (:'missing');
SELECT * FROM refusal($$INSERT INTO payees (iban) VALUES ('x')$$);
-- The other columns too.
DROP TRIGGER check_iban ON payees;
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON payees FOR EACH ROW
  EXECUTE FUNCTION jibit_check_iban('iban', 'online=off', 'national_code=national_code', 'birth_date=born', 'status=ACTIVE, IDLE');
INSERT INTO payees (iban, national_code) VALUES (:'missing', '0123456788');
SELECT * FROM unnest(ARRAY[
  $$INSERT INTO payees (iban, national_code, born) VALUES ('IR270170000000100324200001', '0123456788', '13600330')$$,
  $$INSERT INTO payees (iban, national_code, born) VALUES ('IR270170000000100324200001', '0123456789', '13601330')$$]) s, refusal(s);
SELECT calls();

-- An inquiry is made by the right of the table's owner, whoever writes the row.
CREATE ROLE regress_jibit_owner;
CREATE ROLE regress_jibit_writer;
SELECT jibit_grant('regress_jibit_owner', ARRAY['iban']);
GRANT CREATE ON SCHEMA public TO regress_jibit_owner;
SET ROLE regress_jibit_owner;
CREATE TABLE owned (iban text, owner text);
GRANT INSERT ON owned TO regress_jibit_writer;
CREATE TRIGGER check_iban BEFORE INSERT ON owned FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'owner=owner', 'unavailable=accept');
SET ROLE regress_jibit_writer;
INSERT INTO owned VALUES ('IR270170000000100324200001');
SELECT * FROM refusal($$INSERT INTO owned VALUES ('IR270170000000100324200001', 'somebody')$$);
RESET ROLE;
SELECT * FROM refusal($$INSERT INTO owned VALUES ('IR270170000000100324200001', 'somebody')$$);
SELECT jibit_grant('regress_jibit_owner', ARRAY['match_iban_name']);
SELECT * FROM refusal($$INSERT INTO owned VALUES ('IR270170000000100324200001', 'somebody')$$);
DROP TABLE owned;
SELECT jibit_revoke('regress_jibit_owner');
REVOKE CREATE ON SCHEMA public FROM regress_jibit_owner;
DROP ROLE regress_jibit_owner, regress_jibit_writer;

-- Partitions name the leaf; ON CONFLICT.
CREATE TABLE parted (id int PRIMARY KEY, iban text) PARTITION BY RANGE (id);
CREATE TABLE parted_leaf (iban text, id int NOT NULL);
ALTER TABLE parted ATTACH PARTITION parted_leaf FOR VALUES FROM (1) TO (10);
CREATE TRIGGER check_iban BEFORE INSERT OR UPDATE ON parted FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'online=off', 'normalize=on');
INSERT INTO parted VALUES (1, '270170000000100324200001') ON CONFLICT (id) DO UPDATE SET iban = excluded.iban;
INSERT INTO parted VALUES (1, '68 0120 0000 0223 6352 1942 56') ON CONFLICT (id) DO UPDATE SET iban = excluded.iban;
SELECT * FROM parted;
SELECT * FROM refusal($$INSERT INTO parted VALUES (2, 'x')$$);

-- Other types of text; a function's own settings count as the session's.
CREATE TABLE typed (iban jibit_iban_text, card varchar(16), plain char(40));
CREATE TRIGGER check_iban BEFORE INSERT ON typed FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'online=off', 'normalize=on');
CREATE TRIGGER check_card BEFORE INSERT ON typed FOR EACH ROW EXECUTE FUNCTION jibit_check_card('card', 'online=off', 'normalize=on');
CREATE TRIGGER check_plain BEFORE INSERT ON typed FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('plain', 'online=off', 'normalize=on');
INSERT INTO typed VALUES ('IR270170000000100324200001', '6037991234567893', '27 0170 0000 0010 0324 2000 01');
SELECT * FROM typed;
CREATE FUNCTION weakened() RETURNS void LANGUAGE sql SET jibit.validate = off SET jibit.on_error = 'warning'
AS $$INSERT INTO typed (plain) VALUES ('IR270170000000100324200002')$$;
SELECT state, code, place FROM refusal('SELECT weakened()');
DROP FUNCTION weakened();
DROP TABLE typed;

-- A changed table is looked at anew.
ALTER TABLE payees RENAME COLUMN iban TO account;
SELECT * FROM refusal($$INSERT INTO payees (account) VALUES ('IR270170000000100324200001')$$);
ALTER TABLE payees RENAME COLUMN account TO iban;
INSERT INTO payees (iban) VALUES ('IR270170000000100324200001');

-- A child by inheritance has triggers of its own only.
CREATE TABLE heirs () INHERITS (payees);
INSERT INTO heirs (iban) VALUES ('x');
DROP TABLE heirs;

-- Columns that are dropped, or get another type.
CREATE TABLE changing (iban text, card text);
CREATE TRIGGER check_iban BEFORE INSERT ON changing FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban', 'online=off');
INSERT INTO changing (iban) VALUES ('IR270170000000100324200001');
TRUNCATE changing;
ALTER TABLE changing ALTER COLUMN iban TYPE int USING 0;
SELECT state, message FROM refusal('INSERT INTO changing (iban) VALUES (1)');
ALTER TABLE changing DROP COLUMN iban;
SELECT state, message FROM refusal('INSERT INTO changing (card) VALUES (NULL)');
DROP TABLE changing;

-- What a transaction or a role sets counts as little as what a session sets.
SELECT current_user AS me \gset
ALTER ROLE :"me" SET jibit.profile = 'nobody';
ALTER ROLE :"me" SET jibit.validate = off;
\c -
SELECT use_sandbox(:'base_url');
SHOW jibit.profile;
CREATE TABLE roled (iban text);
CREATE TRIGGER check_iban BEFORE INSERT ON roled FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban');
BEGIN;
SET LOCAL jibit.on_error = 'warning';
SET LOCAL jibit.timeout = '1ms';
INSERT INTO roled VALUES ('IR270170000000100324200001');
SELECT state, code FROM refusal($$INSERT INTO roled VALUES ('IR270170000000100324200002')$$);
COMMIT;
DROP TABLE roled;
ALTER ROLE :"me" RESET ALL;
RESET jibit.profile;
RESET jibit.validate;

-- Misuse.
CREATE TABLE misused (iban text, n int, g text GENERATED ALWAYS AS (iban) STORED);
DO $$
DECLARE
  arguments text;
  state text;
  message text;
BEGIN
  FOREACH arguments IN ARRAY ARRAY['', '''nothing''', '''n''', '''g''', '''iban'', ''x''', '''iban'', ''x=y''', '''iban'', ''online=maybe''',
      '''iban'', ''status=SLEEPY''', '''iban'', ''owner=n''', '''iban'', ''national_code=iban''', '''iban'', ''profile=''', '''iban'', ''online=off'', ''status=IDLE'', ''online=on'''] LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER t BEFORE INSERT ON misused FOR EACH ROW EXECUTE FUNCTION jibit_check_iban(%s)', arguments);
    BEGIN
      INSERT INTO misused (iban) VALUES ('IR270170000000100324200001');
      RAISE INFO '%: accepted', arguments;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
      RAISE INFO '%: % %', arguments, state, message;
    END;
  END LOOP;
END
$$;
CREATE OR REPLACE TRIGGER t AFTER INSERT ON misused FOR EACH ROW EXECUTE FUNCTION jibit_check_iban('iban');
SELECT * FROM refusal($$INSERT INTO misused (iban) VALUES ('IR270170000000100324200001')$$);
CREATE OR REPLACE TRIGGER t BEFORE DELETE ON misused FOR EACH STATEMENT EXECUTE FUNCTION jibit_check_iban('iban');
SELECT * FROM refusal($$DELETE FROM misused$$);
DROP TRIGGER t ON misused;
CREATE TRIGGER t BEFORE INSERT ON misused FOR EACH ROW EXECUTE FUNCTION jibit_check_card('iban', 'status=ACTIVE');
SELECT * FROM refusal($$INSERT INTO misused (iban) VALUES ('6037991234567893')$$);
-- Nobody has keys for this profile.
CREATE OR REPLACE TRIGGER t BEFORE INSERT ON misused FOR EACH ROW EXECUTE FUNCTION jibit_check_card('iban', 'profile=nobody');
SELECT * FROM refusal($$INSERT INTO misused (iban) VALUES ('6037991234567893')$$);

DROP TABLE payees, contacts, parted, misused;
DROP FUNCTION refusal(text);
