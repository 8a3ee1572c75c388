--
-- Rights: nobody calls the API or sees a key who was not allowed to.
--
\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url') \gset
\pset null '(null)'
CREATE ROLE regress_jibit_user;
CREATE ROLE "regress jibit ""quoted""";
CREATE VIEW executable AS
  SELECT grantee, function, proname FROM functions, (VALUES ('regress_jibit_user'), ('regress jibit "quoted"')) g (grantee)
  WHERE has_function_privilege(grantee, oid, 'EXECUTE') AND NOT has_function_privilege('public', oid, 'EXECUTE');

--
-- Without a grant there is nothing.
--
SELECT function FROM executable;
SET ROLE regress_jibit_user;
SELECT state, message FROM expect_error($$SELECT jibit.jibit_card('6037991234567893')$$);
RESET ROLE;
GRANT USAGE ON SCHEMA jibit TO regress_jibit_user;
SET ROLE regress_jibit_user;
SELECT state, message FROM unnest('{
  "SELECT jibit_card(''6037991234567893'')", "SELECT * FROM jibit_balances()", "SELECT jibit_request(''/v1/balances'')",
  "SELECT * FROM jibit_last_call()", "SELECT jibit_set_credentials(''k'', ''s'')", "SELECT jibit_forget_tokens()",
  "SELECT * FROM jibit_check()", "SELECT jibit_grant(''regress_jibit_user'')", "SELECT jibit_revoke(''regress_jibit_user'')",
  "SELECT jibit_inquiry_functions(NULL)", "SELECT * FROM jibit_token_status_list()", "SELECT * FROM jibit_token_status",
  "SELECT profile FROM jibit_credentials", "INSERT INTO jibit_credentials VALUES (''mine'')", "UPDATE jibit_credentials SET roles = NULL",
  "DELETE FROM jibit_credentials", "TRUNCATE jibit_credentials"}'::text[]) statement, expect_error(statement);
-- What is open to all.
SELECT count(*) FROM jibit_inquiries;
SELECT count(*) > 59 AS all_codes FROM jibit_error_codes;
RESET ROLE;

--
-- Some inquiries, in all their forms.
--
SELECT jibit_grant('regress_jibit_user', '{match_card,balances}');
SELECT function FROM executable ORDER BY function::text COLLATE "C";
SET ROLE regress_jibit_user;
SELECT matched FROM jibit_match_card('6037991234567893', '0123456789', '13600330');
SELECT matched FROM jibit_match_card('6037991234567893', '0123456789', date '1981-06-20');
SELECT amount FROM jibit_balances();
SELECT inquiry FROM jibit_last_call();
SELECT state FROM expect_error($$SELECT jibit_card('6037991234567893')$$);
-- The call does not make the credentials readable.
SELECT state FROM expect_error('SELECT * FROM jibit_credentials');
RESET ROLE;
SELECT jibit_revoke('regress_jibit_user', '{balances}');
SELECT function FROM executable ORDER BY function::text COLLATE "C";

-- All, but not what is for administrators.
SELECT jibit_grant(role => '"regress jibit ""quoted"""');
SELECT count(*) FROM executable WHERE grantee LIKE '% %' AND proname IN (SELECT 'jibit_' || inquiry FROM jibit_inquiries);
SELECT function FROM executable WHERE grantee LIKE '% %' AND proname NOT IN (SELECT 'jibit_' || inquiry FROM jibit_inquiries);
SELECT function FROM functions
WHERE NOT has_function_privilege('regress jibit "quoted"', oid, 'EXECUTE') ORDER BY function::text COLLATE "C";
SET ROLE "regress jibit ""quoted""";
SELECT bank FROM jibit_card('6037991234567893');
RESET ROLE;
SELECT jibit_revoke('"regress jibit ""quoted"""');
SELECT function FROM executable WHERE grantee LIKE '% %';
SELECT has_schema_privilege('regress jibit "quoted"', 'jibit', 'USAGE') AS usage;

-- What cannot be granted, and that it grants nothing.
SELECT statement, state, message FROM unnest('{
  "SELECT jibit_grant(''regress_jibit_user'', ''{card,cards}'')", "SELECT jibit_grant(''regress_jibit_user'', ''{request}'')",
  "SELECT jibit_grant(''regress_jibit_user'', ''{NULL}'')", "SELECT jibit_grant(''regress_jibit_user'', ''{jibit_card}'')",
  "SELECT jibit_revoke(''regress_jibit_user'', ''{cards}'')", "SELECT jibit_grant(''regress_jibit_nobody'')",
  "SELECT jibit_grant(NULL)", "SELECT jibit_revoke(NULL)"}'::text[]) statement, expect_error(statement);
SELECT function FROM executable WHERE proname = 'jibit_card';
-- An empty list is no inquiry.
SELECT jibit_grant('regress_jibit_user', '{}');
SELECT function FROM executable ORDER BY function::text COLLATE "C";
-- Who may call jibit_grant() can give away no more than is his.
GRANT EXECUTE ON FUNCTION jibit_grant, jibit_inquiry_functions TO regress_jibit_user;
SET ROLE regress_jibit_user;
SELECT state FROM expect_error($$SELECT jibit_grant('regress_jibit_user')$$);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION jibit_grant, jibit_inquiry_functions FROM regress_jibit_user;

--
-- jibit_request() is no way around: a path of an inquiry needs that inquiry.
--
SELECT jibit_grant('regress_jibit_user', '{card,daily_report}');
GRANT EXECUTE ON FUNCTION jibit_request TO regress_jibit_user;
SELECT calls() \gset
CREATE FUNCTION pg_temp.may(path text, query jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN state = '42501' THEN message WHEN state LIKE 'JB%' THEN 'asked: ' || code ELSE coalesce(state, 'answered') END
  FROM expect_error(format('SELECT jibit_request(%L, %L)', path, query));
$$;
SET ROLE regress_jibit_user;
SELECT path, query, pg_temp.may(path, query) FROM (VALUES
  ('/v1/cards', '{"number": "6037991234567893"}'::jsonb), ('/v1/cards', '{"number": 6037991234567893}'),
  ('/v1/cards', '{"number": "6037991234567893", "iban": "true"}'), ('/v1/cards', '{"number": "6037991234567893", "iban": true}'),
  ('/v1/cards', '{"number": "6037991234567893", "deposit": "true"}'),
  -- which one is it?
  ('/v1/cards', '{"number": "6037991234567893", "iban": "false"}'), ('/v1/cards', '{"number": "6037991234567893", "iban": "TRUE"}'),
  ('/v1/cards', '{"number": "6037991234567893", "iban": "true", "deposit": "true"}'), ('/v1/cards', '{"Number": "6037991234567893"}'),
  ('/v1/cards', '{"number": "6037991234567893", "x": 1}'), ('/v1/cards', '{}'),
  ('/v1/services/matching', '{"cardNumber": "6037991234567893", "nationalCode": "0123456789", "birthDate": "13600330"}'),
  ('/v1/services/matching', '{"nationalCode": "0123456789", "mobileNumber": "09123456789"}'),
  ('/v1/services/matching', '{}'), ('/v1/services/postal', '{"code": "1234567890"}'), ('/v1/services/postal/wgs', '{"code": "1234567890"}'),
  ('/v1/reports/daily', '{"yearMonthDay": "000708"}'), ('/v1/balances', '{}'), ('/v1/sandbox/echo', '{}')
) v (path, query);
RESET ROLE;
SELECT calls();
-- With the rights to all that it might be it is sent.
SELECT jibit_grant('regress_jibit_user', '{card_to_iban,card_to_deposit}');
SET ROLE regress_jibit_user;
SELECT pg_temp.may('/v1/cards', '{"number": "6037991234567893", "x": 1}');
RESET ROLE;
-- Whoever has no USAGE on the schema any more, but a view or a bound function
-- that was made before, gets errors and rows all the same.
CREATE VIEW bad_cards AS SELECT (error).code, (error).errcode FROM jibit_card_batch('{1}');
CREATE VIEW checks AS SELECT item, ok FROM jibit_check();
CREATE FUNCTION ask_any(path text) RETURNS jsonb LANGUAGE sql RETURN jibit_request(path);
GRANT SELECT ON bad_cards, checks TO regress_jibit_user;
GRANT EXECUTE ON FUNCTION jibit_check TO regress_jibit_user;
REVOKE USAGE ON SCHEMA jibit FROM regress_jibit_user;
SET ROLE regress_jibit_user;
SELECT code, errcode FROM bad_cards;
SELECT item, ok FROM checks WHERE item IN ('grants', 'credentials found');
SELECT state, message FROM expect_error($$SELECT ask_any('/v1/cards')$$);
RESET ROLE;
GRANT USAGE ON SCHEMA jibit TO regress_jibit_user;
REVOKE EXECUTE ON FUNCTION jibit_check FROM regress_jibit_user;
DROP VIEW bad_cards, checks;
DROP FUNCTION ask_any;
-- As its definer.
CREATE FUNCTION ask_card(card text) RETURNS jsonb LANGUAGE sql SECURITY DEFINER
  AS $$ SELECT jibit.jibit_request('/v1/cards', jsonb_build_object('number', card)) $$;
ALTER FUNCTION ask_card OWNER TO regress_jibit_user;
SET ROLE "regress jibit ""quoted""";
SELECT ask_card('6037991234567893') -> 'number' AS number;
RESET ROLE;
DROP FUNCTION ask_card;

--
-- Monitoring shows no key and no token.
--
GRANT pg_monitor TO regress_jibit_user;
SET ROLE regress_jibit_user;
SELECT profile, state FROM jibit_token_status ORDER BY profile;
SELECT count(*) FROM jibit_token_status s WHERE s::text ~ '(sandbox-|ey[A-Za-z0-9_-]{20})';
SELECT state FROM expect_error('SELECT * FROM jibit_credentials');
SELECT state FROM expect_error('SELECT jibit_forget_tokens()');
SELECT l::text ~ '(sandbox-|ey[A-Za-z0-9_-]{20})' AS shown FROM jibit_last_call() l;
RESET ROLE;
REVOKE pg_monitor FROM regress_jibit_user;
-- With a grant of its own somebody else can run the check.
GRANT EXECUTE ON FUNCTION jibit_check TO regress_jibit_user;
SET ROLE regress_jibit_user;
SELECT item, ok FROM jibit_check() WHERE item IN ('credentials found', 'token obtained', 'inquiry accepted');
SELECT count(*) FROM jibit_check() c WHERE c::text ~ '(sandbox-key|sandbox-secret|ey[A-Za-z0-9_-]{20})';
RESET ROLE;
REVOKE EXECUTE ON FUNCTION jibit_check FROM regress_jibit_user;
-- The trigger is nothing to call.
SELECT jibit_credentials_trigger();

-- All is taken back.
REVOKE EXECUTE ON FUNCTION jibit_request FROM regress_jibit_user;
SELECT jibit_revoke('regress_jibit_user');
SELECT jibit_revoke('regress_jibit_user');
SELECT function FROM executable;
DROP VIEW executable;
DROP ROLE regress_jibit_user, "regress jibit ""quoted""";
