--
-- Answers that are odd or broken: what can be used is, what cannot be is an
-- error of its own, and the next call works.
--
\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url') \gset
\pset null '(null)'

-- One inquiry of each shape, with the answer that is good.
CREATE TEMP TABLE asked (inquiry text, arguments text, good text);
INSERT INTO asked VALUES
  ('card', '''6037991234567893'''), ('iban', '''IR050170000000123456789012'''), ('card_to_iban', '''6037991234567893'''),
  ('deposit_to_iban', '''MELLI'', ''1'''), ('match_shahkar', '''0123456789'', ''09123456789'''),
  ('postal_address', '''1234567890'''), ('postal_location', '''1234567890'''),
  ('identity_similarity', '''0123456789'', ''13600331'', ''علی'''), ('foreigner', '''0123456789'''), ('corporation', '''0123456789'''),
  ('military_service', '''0123456789'''), ('sana', '''0123456789'', ''09123456789'''),
  ('card_to_iban_availability', ''), ('balances', ''), ('daily_report', '''14000708''');

-- All rows of an answer, or the error.
CREATE FUNCTION pg_temp.ask(inquiry text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
  detail text;
BEGIN
  EXECUTE format('SELECT string_agg(a::text, '' '') FROM %I(%s) a', 'jibit_' || inquiry, arguments) INTO result;
  RETURN coalesce(result, 'nothing');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN SQLSTATE || ' ' || regexp_replace(detail, '^The answer cannot be used: | ?HTTP .*', '', 'g');
END
$$;
UPDATE asked SET good = pg_temp.ask(inquiry, arguments);
SELECT inquiry FROM asked WHERE good NOT LIKE '(%,regress)';

-- With a fault, and once more without.
CREATE FUNCTION pg_temp.ask_with_fault(inquiry text, arguments text, fault text, OUT outcome text, OUT afterwards text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM fault(fault);
  outcome := pg_temp.ask(inquiry, arguments);
  PERFORM fault('');
  afterwards := pg_temp.ask(inquiry, arguments);
END
$$;
CREATE TEMP TABLE outcomes AS
  SELECT f.n, fault, a.*, o.*
  FROM unnest('{unknown-fields,track-other,no-owners,empty-owners,null-fields,numbers-as-text,matched-one,matched-zero,matched-two,
               long-text,big-number,huge-number,lone-surrogate,nul-escape,bad-utf8,
               wrong-types,missing-mandatory,null-mandatory,empty-object,
               not-json,empty-body,html-200,redirect,deep,big-body,endless,cut}'::text[]) WITH ORDINALITY f (fault, n),
       asked a, pg_temp.ask_with_fault(inquiry, arguments, fault) o;

-- After all of them the session goes on as if nothing had happened.
SELECT count(*) AS asked, count(*) FILTER (WHERE afterwards = good) AS good_afterwards FROM outcomes;

-- What is the same for all inquiries.
SELECT fault, CASE WHEN outcome = good THEN 'the good answer' ELSE outcome END AS outcome
FROM outcomes
WHERE fault IN (SELECT fault FROM outcomes GROUP BY 1
                HAVING count(DISTINCT CASE WHEN outcome = good THEN '' ELSE outcome END) = 1)
GROUP BY n, 1, 2 ORDER BY n;

-- What is mandatory.
SELECT inquiry, outcome, string_agg(fault, ' ' ORDER BY n) AS faults
FROM outcomes WHERE fault IN ('wrong-types', 'missing-mandatory', 'null-mandatory', 'empty-object')
GROUP BY 1, 2 ORDER BY inquiry COLLATE "C", min(n);

-- Everything that is not mandatory may be null; lists are empty then.
SELECT inquiry, left(outcome, 60) AS null_fields FROM outcomes WHERE fault = 'null-fields' ORDER BY inquiry COLLATE "C";
SELECT inquiry, outcome, string_agg(fault, ' ' ORDER BY n) AS faults
FROM outcomes WHERE fault LIKE '%owners' AND outcome <> good GROUP BY 1, 2 ORDER BY inquiry COLLATE "C";

-- A number is taken where text is expected, and the other way round.
SELECT inquiry, left(outcome, 160) AS numbers_as_text FROM outcomes WHERE fault = 'numbers-as-text' AND outcome <> good ORDER BY inquiry COLLATE "C";
SELECT inquiry FROM outcomes WHERE fault = 'numbers-as-text' AND outcome = good ORDER BY inquiry COLLATE "C";
-- 1 and 0 are booleans, 2 is none.
SELECT fault, inquiry, outcome FROM outcomes
WHERE fault LIKE 'matched%' AND inquiry IN ('match_shahkar', 'sana', 'military_service') ORDER BY n, inquiry COLLATE "C";
SELECT fault, inquiry FROM outcomes
WHERE fault LIKE 'matched%' AND inquiry NOT IN ('match_shahkar', 'sana', 'military_service') AND outcome <> good;

-- No integer is cut to what fits; as text it has every digit.
SELECT fault, inquiry, left(outcome, 90) AS outcome FROM outcomes
WHERE fault IN ('big-number', 'huge-number') AND inquiry IN ('card', 'postal_location', 'identity_similarity', 'corporation', 'balances', 'daily_report')
ORDER BY n, inquiry COLLATE "C";
SELECT amount FROM jibit_balances();

-- Long texts come whole.
SELECT inquiry FROM outcomes WHERE fault = 'long-text' AND length(outcome) < 4000;
SELECT fault('long-text');
SELECT length(owner_name), octet_length(owner_name) FROM jibit_card('6037991234567893');

-- What is no character.
SELECT fault, inquiry, outcome FROM outcomes
WHERE fault IN ('lone-surrogate', 'nul-escape') AND inquiry IN ('card', 'balances') ORDER BY n, inquiry;
SELECT fault('lone-surrogate');
SELECT state, code FROM expect_error('SELECT jibit_request(''/v1/balances'')');
SELECT fault('nul-escape');
SELECT state, code FROM expect_error('SELECT jibit_request(''/v1/balances'')');
SELECT fault('bad-utf8');
SELECT state, code FROM expect_error('SELECT jibit_request(''/v1/balances'')');

-- A word for the availability that is neither is NULL.
SELECT fault('big-number');
SELECT bank, available FROM jibit_card_to_iban_availability() LIMIT 2;

-- An error that came as a success is the API's error, in a set too.
SELECT fault('success-error', 0);
SELECT inquiry, state, code FROM asked, expect_error(format('SELECT * FROM %I(%s)', 'jibit_' || inquiry, arguments))
WHERE inquiry IN ('card', 'match_shahkar', 'identity_similarity', 'balances', 'card_to_iban_availability');
SELECT fault('');

-- Many broken answers in one statement, caught one by one.
SELECT fault('not-json', 0);
SELECT pg_temp.ask('card', '''6037991234567893''') AS outcome, count(*) FROM generate_series(1, 100) GROUP BY 1;
SELECT fault('endless', 0);
SELECT pg_temp.ask('balances', '') AS outcome, count(*) FROM generate_series(1, 20) GROUP BY 1;
SELECT fault('');
SELECT bank FROM jibit_card('6037991234567893');

-- Types that somebody has changed are refused, and not misread.
BEGIN;
ALTER TYPE jibit_owner ALTER ATTRIBUTE first_name TYPE int;
SELECT state, message FROM expect_error($$SELECT jibit_iban('IR050170000000123456789012')$$);
ROLLBACK;
BEGIN;
ALTER TYPE jibit_identification_document DROP ATTRIBUTE code;
SELECT state, message FROM expect_error($$SELECT jibit_foreigner('0123456789')$$);
ROLLBACK;
SELECT iban FROM jibit_iban('IR050170000000123456789012');
