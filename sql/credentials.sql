--
-- Credentials and tokens: where the keys come from, who may use them, and how
-- few token calls are made.
--
\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url') \gset
\pset null '(null)'
CREATE ROLE regress_jibit_clerk;
CREATE ROLE regress_jibit_guest;
CREATE ROLE regress_jibit_staff ROLE regress_jibit_clerk;
CREATE ROLE regress_jibit_keeper;
SELECT jibit_grant('regress_jibit_clerk'), jibit_grant('regress_jibit_guest') \gset

-- One pair of tokens serves all calls, whatever the profile's name.
SELECT bank FROM jibit_card('6037991234567893');
SELECT count(matched) FROM generate_series(1, 20) n, jibit_match_shahkar('0123456789', '0912345' || (1000 + n));
SELECT jibit_set_credentials('sandbox-key', 'sandbox-secret', 'twin', :'base_url');
SET jibit.profile = 'twin';
SELECT bank FROM jibit_card('6104330000000011');
RESET jibit.profile;
SELECT calls();
SELECT profile, state, round(extract(epoch FROM expires_at - obtained_at) / 3600) AS hours,
       round(extract(epoch FROM refresh_expires_at - obtained_at) / 3600) AS refresh_hours,
       now() - obtained_at < '1 h' AS obtained_just_now, last_error
FROM jibit_token_status WHERE profile <> 'sandbox';

--
-- Storing them.
--
SELECT arguments, state, message FROM unnest('{
  "NULL, ''secret''", "'''', ''secret''", "''key'', NULL", "''key'', ''''", "''key'', ''secret'', NULL", "''key'', ''secret'', ''''",
  "''key'', ''secret'', base_url => ''''"}'::text[]) arguments,
  expect_error(format('SELECT jibit_set_credentials(%s)', arguments));
SELECT state, message FROM expect_error($$SELECT jibit_set_credentials('key', 'secret', repeat('p', 64))$$);
SELECT url, state, message, detail FROM (VALUES
  ('ftp://api.example'), ('file:///etc/passwd'), ('api.example/ide'), ('https://'), ('https:///ide'), ('https://user@api.example'),
  ('https://user:password@api.example/ide'), ('https://api.example/ide?x=1'), ('https://api.example/#x'), ('https://api example'),
  (E'https://api.example/\nx'), ('https://api.example:99999'), ('https://api.example\ide'), ('javascript:alert(1)')
) v (url), expect_error(format('SELECT jibit_set_credentials(''key'', ''secret'', ''refused'', %L)', url));
SELECT count(*) FROM jibit_credentials WHERE profile = 'refused';
-- NULL keeps the URL, or takes the default.
SELECT jibit_set_credentials('k1', 's1', 'p1'), jibit_set_credentials('k2', 's2', 'p2', 'https://api.example/x/');
SELECT jibit_set_credentials('k3', 's3', 'p2');
SELECT * FROM jibit_credentials WHERE profile IN ('p1', 'p2') ORDER BY profile;
UPDATE jibit_credentials SET roles = '{somebody}' WHERE profile = 'p2';
SELECT jibit_set_credentials('k4', 's4', 'p2', 'http://[::1]:8080');
SELECT * FROM jibit_credentials WHERE profile = 'p2';
-- A profile has a name, and one row.
INSERT INTO jibit_credentials VALUES ('');
INSERT INTO jibit_credentials VALUES (repeat('p', 64));
INSERT INTO jibit_credentials VALUES (NULL);
INSERT INTO jibit_credentials VALUES ('p1');

--
-- What cannot be used.
--
SET jibit.profile = 'none';
SELECT * FROM expect_error($$SELECT jibit_card('6037991234567893')$$) \gx
-- But what needs no call needs no credentials.
SELECT state, code FROM expect_error($$SELECT jibit_card('6037991234567890')$$);
SELECT jibit_card(NULL) IS NULL AS none;
SET jibit.profile = 'spoiled';
INSERT INTO jibit_credentials VALUES ('spoiled', NULL, 'secret', :'base_url');
CREATE FUNCTION pg_temp.use(changes text, OUT state text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE jibit_credentials SET ' || changes || ' WHERE profile = ''spoiled''';
  SELECT e.state, e.message, e.detail INTO state, message, detail FROM expect_error('SELECT jibit_card(''6037991234567893'')') e;
END
$$;
SELECT state, message, detail FROM pg_temp.use('secret_key = secret_key');
SELECT changes, state, detail FROM unnest('{
  "api_key = ''''", "api_key = ''key'', secret_key = NULL", "secret_key = ''''",
  "secret_key = ''secret'', base_url = ''''", "base_url = ''ftp://api.example''", "base_url = ''https://u:p@api.example''",
  "base_url = ''https://api.example?x''", "base_url = ''https://''", "base_url = ''nonsense''"}'::text[]) changes, pg_temp.use(changes);
-- Plain HTTP shows everything on the way.
UPDATE jibit_credentials SET api_key = 'sandbox-key', secret_key = 'sandbox-secret', base_url = :'base_url' WHERE profile = 'spoiled';
SET jibit.allow_http = off;
SELECT * FROM expect_error($$SELECT jibit_card('6037991234567893')$$) \gx
SET jibit.allow_http = on;
-- A slash at the end does no harm.
UPDATE jibit_credentials SET base_url = base_url || '//' WHERE profile = 'spoiled';
SELECT bank FROM jibit_card('6037991234567893');
-- No URL is the API's; this proxy does not exist.
SET jibit.proxy = 'http://127.0.0.1:1';
SELECT state FROM pg_temp.use('base_url = NULL');
SELECT item, ok, left(detail, 25) AS detail FROM jibit_check() WHERE item LIKE 'base URL%';
RESET jibit.proxy;
-- Any text can be a key.
UPDATE jibit_credentials SET api_key = E'k"\\\n\t\u0001 ی', secret_key = repeat('x', 10000), base_url = :'base_url' WHERE profile = 'spoiled';
SELECT state, code FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
RESET jibit.profile;

--
-- Changed credentials count from the next call on.
--
SELECT calls() \gset
SELECT jibit_set_credentials('wrong', 'sandbox-secret');
SELECT state, code, message FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
SELECT calls();
-- A refused key is not tried again at once ...
SELECT state, code FROM expect_error($$SELECT jibit_iban('IR050170000000123456789012')$$);
SELECT calls();
SELECT state, last_error, obtained_at FROM jibit_token_status WHERE state = 'refused' AND profile = 'default';
-- ... unless asked to ...
SELECT jibit_forget_tokens();
SELECT count(*) FROM jibit_token_status WHERE profile = 'default';
SELECT state, code FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
SELECT calls() -> 'token_generate' AS generated;
-- ... and the right one works at once.
SELECT jibit_set_credentials('sandbox-key', 'sandbox-secret');
SELECT bank FROM jibit_card('6037991234567893');
-- In a transaction, and when it is undone.
BEGIN;
SELECT bank FROM jibit_card('6037991234567893');
UPDATE jibit_credentials SET secret_key = 'wrong' WHERE profile = 'default';
SAVEPOINT s;
SELECT jibit_card('6037991234567893');
ROLLBACK TO s;
UPDATE jibit_credentials SET secret_key = 'sandbox-secret' WHERE profile = 'default';
SELECT bank FROM jibit_card('6037991234567893');
DELETE FROM jibit_credentials WHERE profile = 'default';
SAVEPOINT s;
SELECT jibit_card('6037991234567893');
ROLLBACK;
SELECT bank FROM jibit_card('6037991234567893');
BEGIN;
SAVEPOINT s;
SELECT jibit_set_credentials('wrong', 'wrong');
ROLLBACK TO s;
SELECT bank FROM jibit_card('6037991234567893');
COMMIT;
-- In one statement after the other of a function, as well.
DO $$
BEGIN
  UPDATE jibit_credentials SET api_key = 'wrong' WHERE profile = 'default';
  BEGIN
    PERFORM jibit_card('6037991234567893');
  EXCEPTION WHEN SQLSTATE 'JB007' THEN
    RAISE NOTICE 'refused';
  END;
  UPDATE jibit_credentials SET api_key = 'sandbox-key' WHERE profile = 'default';
  RAISE NOTICE '%', (jibit_card('6037991234567893')).bank;
END
$$;
-- COPY leaves the keys in no log.
BEGIN;
TRUNCATE jibit_credentials;
SELECT state, message FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
ROLLBACK;
COPY jibit_credentials (profile, api_key, secret_key) FROM STDIN;
copied	wrong	wrong
\.
UPDATE jibit_credentials SET base_url = :'base_url' WHERE profile = 'copied';
SET jibit.profile = 'copied';
SELECT state FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
RESET jibit.profile;

--
-- Tokens that are no longer good: one new pair, one more try.
--
SELECT bank FROM jibit_card('6037991234567893');
SELECT calls() \gset
SELECT sandbox('revoke', '{"refresh": 0}');
SELECT bank FROM jibit_card('6037991234567893');
SELECT calls();
SELECT sandbox('revoke');
SELECT bank FROM jibit_card('6037991234567893');
SELECT calls();
SELECT sandbox('set', '{"refuse_refresh": 1}') ->> 'refuse_refresh' AS refuse_refresh;
SELECT sandbox('revoke', '{"refresh": 0}') ->> 'revoked' AS revoked;
SELECT bank FROM jibit_card('6037991234567893');
SELECT calls();
SELECT sandbox('set', '{"refuse_refresh": 0}') ->> 'refuse_refresh' AS refuse_refresh;
-- Tokens need not be JWTs; then they live as long as the document says.
SELECT sandbox('set', '{"opaque_tokens": 1}') ->> 'opaque_tokens' AS opaque_tokens;
SELECT jibit_forget_tokens();
SELECT bank FROM jibit_card('6037991234567893');
SELECT state, round(extract(epoch FROM expires_at - obtained_at)) AS seconds FROM jibit_token_status WHERE profile = 'default';
SELECT sandbox('set', '{"opaque_tokens": 0}') ->> 'opaque_tokens' AS opaque_tokens;

-- Failing token calls. None is a verdict on the inquiry, so that none becomes
-- a warning; none shows a key or a token.
SET jibit.profile = 'spoiled';
SET jibit.on_error = 'warning';
UPDATE jibit_credentials SET secret_key = 'a-secret-key' WHERE profile = 'spoiled';
CREATE FUNCTION pg_temp.refuse(fault text, OUT state text, OUT code text, OUT shows_key boolean) LANGUAGE plpgsql AS $$
DECLARE
  e record;
BEGIN
  UPDATE jibit_credentials SET api_key = 'fault:' || fault WHERE profile = 'spoiled';
  SELECT * INTO e FROM expect_error('SELECT jibit_iban(''IR050170000000123456789012'')');
  state := e.state;
  code := e.code;
  shows_key := e::text LIKE '%a-secret-key%' OR e::text LIKE '%fault:%' OR (SELECT l::text LIKE '%a-secret-key%' FROM jibit_last_call() l);
END
$$;
SELECT fault, r.* FROM unnest('{apiKey.is_required,apiKey.length_exceeded,secretKey.is_required,secretKey.length_exceeded,invalid.credentials,
  client.not_found,forbidden,conflict,http.418,server.error,http.502,http.429-long,close,not-json,
  html-200,empty-body,redirect}'::text[]) fault, pg_temp.refuse(fault) r;
SELECT fault, state > 'JB005' AS raised, code FROM unnest('{invalid.request_body,parameters.not_acceptable}'::text[]) fault, pg_temp.refuse(fault);
RESET jibit.on_error;
-- The same account under another URL, whose good answers are spoiled.
SELECT jibit_set_credentials('sandbox-key', 'sandbox-secret', 'spoiled', replace(:'base_url', 'http:', 'Http:'));
CREATE FUNCTION pg_temp.spoil(fault text, OUT state text, OUT code text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sandbox('set', jsonb_build_object('token_fault', fault));
  SELECT e.state, e.code, e.detail INTO state, code, detail FROM expect_error('SELECT jibit_iban(''IR050170000000123456789012'')') e;
  PERFORM sandbox('set', '{"token_fault": ""}');
END
$$;
SELECT fault, r.state, r.code, CASE state WHEN 'JB010' THEN r.detail END AS detail
FROM unnest('{missing-mandatory,null-mandatory,wrong-types,big-body,deep,cut,reset}'::text[]) fault, pg_temp.spoil(fault) r;
SELECT detail ~ '(sandbox-key|sandbox-secret)' AS shows_key, detail ~ '\*{8}' AS masked FROM pg_temp.spoil('echo-secret');
-- And then it works.
SELECT jibit_forget_tokens();
SELECT calls() \gset
SELECT iban FROM jibit_iban('IR050170000000123456789012');
SELECT calls();
RESET jibit.profile;

--
-- Roles: a profile can be for some only.
--
SELECT calls() \gset
UPDATE jibit_credentials SET roles = '{regress_jibit_staff,no_such_role}' WHERE profile = 'default';
SET ROLE regress_jibit_clerk;  -- a member
SELECT bank FROM jibit_card('6037991234567893');
SET ROLE regress_jibit_guest;
SELECT * FROM expect_error($$SELECT jibit_card('6037991234567893')$$) \gx
-- Nor can the keys be seen.
SELECT state FROM expect_error('SELECT * FROM jibit_credentials');
SELECT state FROM expect_error($$SELECT jibit_set_credentials('x', 'x')$$);
RESET ROLE;
SELECT calls();
UPDATE jibit_credentials SET roles = '{}' WHERE profile = 'default';
SET ROLE regress_jibit_clerk;
SELECT state FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
RESET ROLE;
-- Who makes the call counts, not who has logged in.
UPDATE jibit_credentials SET roles = '{regress_jibit_staff}' WHERE profile = 'default';
CREATE FUNCTION bank_of(card text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT bank FROM jibit.jibit_card(card) $$;
ALTER FUNCTION bank_of OWNER TO regress_jibit_clerk;
SET ROLE regress_jibit_guest;
SELECT bank_of('6037991234567893');
RESET ROLE;
UPDATE jibit_credentials SET roles = NULL WHERE profile = 'default';
DROP FUNCTION bank_of;

--
-- A table or view of one's own, read as its owner.
--
CREATE SCHEMA "Key Store";
GRANT USAGE ON SCHEMA "Key Store" TO regress_jibit_keeper;
CREATE TABLE "Key Store".keys AS SELECT profile AS name, reverse(secret_key) AS hidden, base_url FROM jibit_credentials WHERE profile = 'sandbox';
UPDATE "Key Store".keys SET name = 'default';
CREATE FUNCTION "Key Store".reveal(hidden text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF current_user <> 'regress_jibit_keeper' OR current_setting('search_path') <> 'pg_catalog, pg_temp' THEN
    RAISE EXCEPTION 'revealed to % with search_path %', current_user, current_setting('search_path');
  END IF;
  RETURN reverse(hidden);
END
$$;
CREATE VIEW "Key Store"."Keys" AS
  SELECT name AS profile, 'sandbox-key'::text AS api_key, "Key Store".reveal(hidden) AS secret_key, base_url, '{regress_jibit_staff}'::name[] AS roles
  FROM "Key Store".keys;
ALTER VIEW "Key Store"."Keys" OWNER TO regress_jibit_keeper;
SET jibit.credentials_table = '"Key Store"."Keys"';
-- The owner has no rights on what the view reads, and so has nobody.
SELECT state, message FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
GRANT SELECT ON "Key Store".keys TO regress_jibit_keeper;
SELECT bank FROM jibit_card('6037991234567893');
SET ROLE regress_jibit_clerk;
SELECT bank FROM jibit_card('6037991234567893');
SET ROLE regress_jibit_guest;
SELECT state FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
RESET ROLE;
SELECT item, ok, detail FROM jibit_check() WHERE item IN ('credentials found', 'inquiry accepted');
GRANT SELECT ON "Key Store"."Keys" TO regress_jibit_guest;
SELECT ok, detail LIKE '%regress_jibit_guest%' AS named FROM jibit_check() WHERE item = 'grants';
-- A restricted operation: a view cannot do more than read.
CREATE FUNCTION "Key Store".reveal_more(hidden text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  CREATE TEMP TABLE loot AS SELECT 1;
  RETURN reverse(hidden);
END
$$;
CREATE VIEW "Key Store".greedy AS SELECT name AS profile, 'k'::text AS api_key, "Key Store".reveal_more(hidden) AS secret_key, base_url, NULL::name[] AS roles FROM "Key Store".keys;
SET jibit.credentials_table = '"Key Store".greedy';
SELECT state FROM expect_error($$SELECT jibit_card('6037991234567893')$$);

-- What refuses a row shows no key.
CREATE TABLE "Key Store".strict (profile text UNIQUE, api_key text, secret_key text CONSTRAINT long CHECK (length(secret_key) > 20), base_url text, roles name[]);
SET jibit.credentials_table = '"Key Store".strict';
SELECT * FROM expect_error($$SELECT jibit_set_credentials('a-key-to-hide', 'a-secret-to-hide')$$) \gx
SELECT jibit_set_credentials('a-key-to-hide', 'a-secret-to-hide-in-full');
SELECT * FROM expect_error($$SELECT jibit_set_credentials('a-key-to-hide', 'a-secret-to-hide')$$) \gx

-- Two rows, none, no table, no such table.
CREATE TABLE "Key Store".twice AS SELECT 'default' AS profile, 'k' AS api_key, 's' AS secret_key, :'base_url'::text AS base_url, NULL::name[] AS roles FROM generate_series(1, 2);
SET jibit.credentials_table = '"Key Store".twice';
SELECT state, message, detail FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
DELETE FROM "Key Store".twice;
SELECT state, message, hint FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
CREATE SEQUENCE "Key Store".numbers;
SET jibit.credentials_table = '"Key Store".numbers';
SELECT state, message FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
SET jibit.credentials_table = 'no_such_schema.no_such_table';
SELECT state, message FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
SELECT item, ok FROM jibit_check() WHERE item IN ('library preloaded', 'credentials found');
SELECT state FROM expect_error($$SELECT jibit_set_credentials('k', 's')$$);
-- One that goes away while it is in use.
SET jibit.credentials_table = '"Key Store"."Keys"';
SELECT bank FROM jibit_card('6037991234567893');
DROP VIEW "Key Store"."Keys";
SELECT state, message FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
-- jibit_set_credentials() writes to it, too.
CREATE TABLE "Key Store"."Keys" (LIKE jibit_credentials INCLUDING DEFAULTS);
SELECT jibit_set_credentials('sandbox-key', 'sandbox-secret', base_url => :'base_url');
SELECT bank FROM jibit_card('6037991234567893');
SELECT jibit_set_credentials('wrong', 'wrong');
SELECT state FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
-- Two tables with a profile of the same name: neither takes the other's tokens.
CREATE TABLE "Key Store".other AS
  SELECT profile, api_key, secret_key, replace(base_url, 'http:', 'hTTp:') AS base_url, roles FROM jibit_credentials WHERE profile = 'default';
RESET jibit.credentials_table;
SELECT bank FROM jibit_card('6037991234567893');
SELECT calls() \gset
SET jibit.credentials_table = '"Key Store".other';
SELECT bank FROM jibit_card('6104330000000011');
RESET jibit.credentials_table;
SELECT bank FROM jibit_card('6104330000000029');
SET jibit.credentials_table = '"Key Store".other';
SELECT bank FROM jibit_card('6219860000000019');
RESET jibit.credentials_table;
SELECT calls();
SET jibit.credentials_table = '"Key Store".other';
-- Names without a schema would be looked up along anybody's search_path.
SET jibit.credentials_table = 'keys';
SET jibit.credentials_table = 'a.b.c';
SET jibit.credentials_table = 'a.b; DROP TABLE x';
SET jibit.credentials_table = '"a.b';
SHOW jibit.credentials_table;
RESET jibit.credentials_table;
SELECT bank FROM jibit_card('6037991234567893');

--
-- jibit_check() says what is missing.
--
SELECT item, ok FROM jibit_check() WHERE item <> 'grants';
SELECT item, detail FROM jibit_check() WHERE item IN ('library preloaded', 'credentials found', 'TLS verified', 'token obtained', 'inquiry accepted');
-- (another role of the server may be a member of pg_read_all_data)
SELECT item, detail LIKE '%regress%' AS anybody_of_ours FROM jibit_check() WHERE item = 'grants';
SET jibit.profile = 'none';
SELECT item, ok, detail FROM jibit_check() WHERE item LIKE 'credentials%' OR item LIKE 'base%';
SET jibit.profile = 'copied';
SELECT item, ok, detail FROM jibit_check() WHERE item IN ('token obtained', 'inquiry accepted');
RESET jibit.profile;
SELECT fault('forbidden', 0);
SELECT ok, detail LIKE '%(forbidden)%allow-list%' AS likely_cause, detail ~ '\.\.' AS two_stops FROM jibit_check() WHERE item = 'inquiry accepted';
SELECT fault('');
SELECT jibit_set_credentials('k', 's', 'nowhere', 'http://127.0.0.1:1');
SET jibit.profile = 'nowhere';
SELECT item, ok FROM jibit_check() WHERE item <> 'grants';
SET jibit.allow_http = off;
SELECT item, ok, detail LIKE '%plain HTTP%' AS says_why FROM jibit_check() WHERE item = 'credentials found';
SET jibit.allow_http = on;
RESET jibit.profile;
GRANT SELECT (api_key) ON jibit_credentials TO regress_jibit_guest;
SELECT ok, detail LIKE '%regress_jibit_guest%' AS named FROM jibit_check() WHERE item = 'grants';
REVOKE SELECT (api_key) ON jibit_credentials FROM regress_jibit_guest;

\set VERBOSITY terse
DROP SCHEMA "Key Store" CASCADE;
SELECT jibit_revoke('regress_jibit_clerk'), jibit_revoke('regress_jibit_guest') \gset
DROP ROLE regress_jibit_clerk, regress_jibit_guest, regress_jibit_staff, regress_jibit_keeper;
