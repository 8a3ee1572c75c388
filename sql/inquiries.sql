--
-- Every inquiry with its whole answer, and how the functions behave in
-- queries: when they call, how often, and with which arguments.
--
-- Nothing was asked yet.
SELECT * FROM jibit_last_call();
\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url') \gset
\pset null '(null)'

--
-- One after the other.
--
\x on
SELECT * FROM jibit_card('6037991234567893');
SELECT * FROM jibit_iban('IR050170000000123456789012');
SELECT * FROM jibit_card_to_deposit('6037991234567893');
SELECT * FROM jibit_card_to_iban('6037991234567893');
SELECT * FROM jibit_deposit_to_iban('MELLI', '0203443585001');
SELECT * FROM jibit_match_card('6037991234567893', '0123456789', '13600330');
SELECT * FROM jibit_match_card_name('6037991234567893', 'رویا محمدی');
SELECT * FROM jibit_match_deposit('MELLI', '0203443585001', '0123456789', '13600330');
SELECT * FROM jibit_match_deposit_name('MELLI', '0203443585001', 'رضا حسینی');
SELECT * FROM jibit_match_iban('IR050170000000123456789012', '0123456789', '13600331');
SELECT * FROM jibit_match_iban_name('IR050170000000123456789012', 'علی رضایی');
SELECT * FROM jibit_match_shahkar('0123456789', '09123456789');
SELECT * FROM jibit_postal_address('1234567890');
SELECT * FROM jibit_postal_location('1234567890');
SELECT * FROM jibit_identity_similarity('0123456789', '13600331', 'علی', 'رضایی', 'علی رضایی', 'حسن');
SELECT * FROM jibit_foreigner('0123456789');
SELECT * FROM jibit_corporation('0123456789');
SELECT * FROM jibit_military_service('0123456789');
SELECT * FROM jibit_sana('0123456789', '09123456789');
\x off
SELECT * FROM jibit_card_to_iban_availability();
SELECT * FROM jibit_balances();
SELECT * FROM jibit_daily_report('14000708');
-- One call each, and one pair of tokens for all.
SELECT jsonb_pretty(calls());

--
-- What an answer can look like.
--

-- Two owners, none; a card of an unknown bank.
SELECT iban, status, owners FROM jibit_iban('IR380170000000123456789097');
SELECT iban, status, owners FROM jibit_iban('IR810170000000123456789099');
SELECT o.* FROM jibit_iban('IR380170000000123456789097') i, unnest(i.owners) o;
SELECT bank, type, owner_name FROM jibit_card('6037991234567992');
SELECT bank, type, iban FROM jibit_card_to_iban('9999991234567893');
-- Statuses other than ACTIVE.
SELECT status FROM jibit_iban('IR490170000000123456789093');
-- A guild licence with nothing about its holder.
SELECT lic_state, code, first_name, provider_tracker_id, area FROM jibit_corporation('0123456780');
-- An absentee; not registered; registered with somebody else's SIM card.
SELECT qualified, description FROM jibit_military_service('1234567891');
SELECT registered, matched FROM jibit_sana('0123456789', '09123456799');
SELECT registered, matched FROM jibit_sana('0123456789', '09123456780');

--
-- Forms of the arguments.
--

-- A Gregorian date is converted: 1981-06-21 is 31 Khordad 1360.
SELECT matched FROM jibit_match_card('6037991234567893', '0123456789', date '1981-06-21');
SELECT sent() ->> 'birthDate' AS birth_date;
SELECT matched FROM jibit_match_deposit('MELLI', '1', '0123456789', date '1981-06-20');
SELECT sent() ->> 'birthDate' AS birth_date;
SELECT matched FROM jibit_match_iban('IR050170000000123456789012', '0123456789', date '2017-03-20');  -- the last day of a leap year
SELECT sent() ->> 'birthDate' AS birth_date;
SELECT first_name_similarity_percentage FROM jibit_identity_similarity('0063456788', date '1981-06-21', 'علی');
SELECT sent() - 'firstName' AS sent;
-- A date column, too; an unknown literal is text.
SELECT m.matched FROM (VALUES (date '1981-06-21'), ('1981-06-20')) v (born), jibit_match_card('6037991234567893', '0123456789', born) m;
SELECT pg_typeof(jibit_match_card('6037991234567893', '0123456789', '13600330'));

-- The report of a day: Jalali with and without the century, Gregorian, today.
SELECT service, count FROM jibit_daily_report('000708') WHERE service LIKE 'sandbox%';
SELECT sent();
SELECT count(*) FROM jibit_daily_report('1400/07/08');
SELECT sent();
SELECT count(*) FROM jibit_daily_report(date '2021-09-30');
SELECT sent();
SELECT service, count FROM jibit_daily_report() WHERE service LIKE 'sandbox%';
SELECT count(*) FROM jibit_daily_report('14491229');  -- not yet

-- Names by name, in any order; the ones that are left out are not sent.
SELECT first_name_similarity_percentage, last_name_similarity_percentage,
       full_name_similarity_percentage, father_name_similarity_percentage
FROM jibit_identity_similarity(father_name => 'حسن', birth_date => '13600331', national_code => '0063456788');
SELECT sent();
SELECT bank FROM jibit_card(card => '6037991234567893');
SELECT matched FROM jibit_match_shahkar(mobile => '09123456789', national_code => '0123456789');

--
-- NULL in, NULL out, and no call.
--
SELECT calls() \gset
SELECT jibit_card(NULL) IS NULL AS card, jibit_match_card('6037991234567893', '0123456789', NULL::date) IS NULL AS match_card,
       jibit_identity_similarity('0063456788', NULL::text, 'علی') IS NULL AS similarity,
       jibit_request(NULL) IS NULL AS request;
SELECT count(*) FROM jibit_daily_report(NULL::text);
SELECT count(*) FROM jibit_daily_report(NULL::date);
-- Every form of every inquiry, with NULL for each required argument in turn.
CREATE TABLE samples (argument text PRIMARY KEY, value text);
INSERT INTO samples VALUES
  ('card', '6037991234567893'), ('iban', 'IR050170000000123456789012'), ('bank', 'MELLI'), ('number', '1'),
  ('national_code', '0123456789'), ('birth_date', '13600331'), ('name', 'علی رضایی'), ('mobile', '09123456789'),
  ('code', '1234567890'), ('fida', '0123456789'), ('day', '14000708'), ('first_name', 'علی');
CREATE FUNCTION rows_with_null(function regprocedure, null_argument text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  arguments text;
  n bigint;
BEGIN
  SELECT string_agg(CASE WHEN name = null_argument THEN format('NULL::%s', type)
                         WHEN type = 'date'::regtype THEN 'date ''1981-06-21'''
                         ELSE quote_nullable(value) END, ', ' ORDER BY position)
    INTO arguments
    FROM pg_proc p
    CROSS JOIN unnest(p.proargnames, p.proargtypes::regtype[]) WITH ORDINALITY a (name, type, position)
    LEFT JOIN samples ON name = argument
    WHERE p.oid = function AND type IS NOT NULL;
  EXECUTE format('SELECT count(f) FROM %s(%s) f WHERE f IS NOT NULL', function::regproc, arguments) INTO n;
  RETURN n;
END
$$;
SELECT count(*) AS tried, sum(rows_with_null(function, argument)) AS answered
FROM jibit_inquiries i JOIN functions f ON proname = 'jibit_' || inquiry, unnest(argument_names) argument
WHERE argument NOT LIKE '%\_name';
SELECT calls();

--
-- A match is a condition.
--
CREATE TABLE people (id int, national_code text, mobile text, active boolean);
INSERT INTO people VALUES
  (1, '0123456789', '09120000019', true), (2, '0123456789', '09120000028', true),
  (3, '0123456789', '09120000039', false), (4, '0123456789', NULL, true);
SELECT id FROM people WHERE jibit_match_shahkar(national_code, mobile) ORDER BY id;
SELECT calls();
-- What is cheaper goes first, wherever it stands: no call for the third.
SELECT id FROM people WHERE jibit_match_shahkar(national_code, mobile) AND active ORDER BY id;
SELECT calls();
SELECT id, CASE WHEN jibit_match_shahkar(national_code, mobile) THEN 'matched' ELSE 'not' END
FROM people WHERE NOT jibit_match_shahkar(national_code, mobile) IS NOT TRUE ORDER BY id;
SELECT jibit_match_shahkar('0123456789', '09120000019')::boolean AND true AS both;
SELECT count(*) FILTER (WHERE jibit_match_shahkar(national_code, mobile)) FROM people;
-- It is assigned to a boolean, too, but is no boolean everywhere.
ALTER TABLE people ADD matched boolean;
UPDATE people SET matched = jibit_match_shahkar(national_code, mobile) WHERE active;
SELECT id, matched FROM people ORDER BY id;
\set VERBOSITY terse
SELECT bool_and(jibit_match_shahkar(national_code, mobile)) FROM people;
\set VERBOSITY default
SELECT bool_and(jibit_match_shahkar(national_code, mobile)::boolean) FROM people WHERE id < 3;
-- No verdict is NULL.
SELECT matched IS NULL AS unknown, track_id FROM jibit_match_card(magic('card', 'matching.unknown'), '0123456789', '13600331');
SELECT 1 WHERE jibit_match_card(magic('card', 'matching.unknown'), '0123456789', '13600331');

--
-- Calls happen when a row is made, and only then.
--
SELECT calls() \gset
EXPLAIN (COSTS OFF) SELECT * FROM jibit_card('6037991234567893');
EXPLAIN (COSTS OFF) SELECT id FROM people WHERE active AND jibit_match_shahkar(national_code, mobile);
PREPARE ask(text) AS SELECT bank FROM jibit_card($1);
EXPLAIN (COSTS OFF) EXECUTE ask('6037991234567893');
CREATE VIEW balances AS SELECT * FROM jibit_balances();
SELECT calls();
EXECUTE ask('6037991234567893');
EXECUTE ask('6104330000000011');
SELECT calls();
SELECT sum(amount / 2) FROM balances;

CREATE TABLE cards (id int, card text);
INSERT INTO cards VALUES (1, '6104330000000029'), (2, NULL), (3, '6219860000000019'), (4, '5022290000001016');
-- For each row, and none for NULL.
SELECT id, c.bank, iban FROM cards LEFT JOIN jibit_card_to_iban(card) c ON true ORDER BY id;
SELECT calls();
-- As few as LIMIT needs.
SELECT id, d.deposit_number FROM cards, jibit_card_to_deposit(card) d LIMIT 1;
SELECT calls();
-- A CTE is asked once, however often it is read.
WITH c AS MATERIALIZED (SELECT c.* FROM cards, jibit_card(card) c WHERE id = 4)
SELECT c.bank, count(*) FROM c, c AS again GROUP BY 1;
SELECT calls();
-- As a value, and its columns.
SELECT id, jibit_card(card) IS NULL AS none, (jibit_card(card)).bank FROM cards ORDER BY id;
SELECT (jibit_card(card)).* FROM cards WHERE id = 3;
-- A set in the select list; and sets in one.
SELECT jibit_balances();
SELECT id, (jibit_balances()).balance_type FROM cards WHERE id = 1;
SELECT b.bank FROM jibit_card_to_iban_availability() b WHERE NOT available;
SELECT balance_type, service FROM ROWS FROM (jibit_balances(), jibit_daily_report('14000708')) LIMIT 3;
-- Written into a table, for good.
CREATE TABLE answers AS SELECT id, c.* FROM cards, jibit_card_to_iban(card) c;
SELECT id, bank, iban FROM answers ORDER BY id;
-- In functions.
CREATE FUNCTION bank_of(card text) RETURNS text LANGUAGE sql AS $$ SELECT bank FROM jibit_card(card) $$;
SELECT bank_of('6219860000000019');
DO $$
DECLARE
  c jibit_card_info := jibit_card('6219860000000019');
BEGIN
  IF jibit_match_card_name(c.number, c.owner_name) THEN
    RAISE NOTICE '% owns %', c.owner_name, c.number;
  END IF;
END
$$;

--
-- Track ids, and what is known of the latest call.
--
SELECT jibit_card('6219860000000019') IS NOT NULL AS answered;
SELECT inquiry, profile, track_id, http_status, attempts, cached, duration > '0' AS took_time, error FROM jibit_last_call();
SET jibit.track_id = '';
SELECT count(DISTINCT track_id) AS different, bool_and(track_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') AS uuids
FROM cards, jibit_card(card);
-- A set has one, that of its call.
SELECT count(DISTINCT b.track_id) FROM jibit_balances() b;
SELECT track_id FROM jibit_card('6219860000000019') \gset
SELECT track_id = :'track_id' AS last_call FROM jibit_last_call();
SELECT sandbox('requests', '{"last": 1}') #>> '{requests,0,track_id}' = :'track_id' AS sent;

DROP FUNCTION bank_of, rows_with_null;
DROP VIEW balances;
DROP TABLE people, cards, samples, answers;
