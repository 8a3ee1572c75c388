\set ECHO none
-- The tour of `make demo`: test/harness/demo runs it with psql -e and the
-- variables base_url ('' stands for the real API), api_key and secret_key.
--
-- Against the real API it asks about nobody in particular, so that most
-- inquiries fail. Values of your own come from the environment:
-- JIBIT_DEMO_CARD and so on, see below.

\set QUIET on
\encoding UTF8
\pset null '(null)'
\pset columns 110
\x auto
SET client_min_messages = warning;

SELECT :'base_url' = '' AS live \gset

-- Synthetic; the sandbox knows an answer to everything.
\set card 6037997551234561
\set iban IR270170000000100324200001
\set bank MELLI
\set deposit 0100324200001
\set national_code 0084575948
\set birth_date 13600330
\set mobile 09121234568
\set name 'شیرین قاسمی'
\set postal_code 1619735744
\set fida 100000000001
\set corporation 0453812907
\if :live
  -- Numbers that have never been given to anybody.
  \set card 6037990000000006
  \set iban IR760170000000000000000001
  \set deposit 0000000001
  \set national_code 0000000019
  \set mobile 09990000000
  \set corporation 0000000001
\endif
\getenv card JIBIT_DEMO_CARD
\getenv iban JIBIT_DEMO_IBAN
\getenv bank JIBIT_DEMO_BANK
\getenv deposit JIBIT_DEMO_DEPOSIT
\getenv national_code JIBIT_DEMO_NATIONAL_CODE
\getenv birth_date JIBIT_DEMO_BIRTH_DATE
\getenv mobile JIBIT_DEMO_MOBILE
\getenv name JIBIT_DEMO_NAME
\getenv postal_code JIBIT_DEMO_POSTAL_CODE
\getenv fida JIBIT_DEMO_FIDA
\getenv corporation JIBIT_DEMO_CORPORATION

\echo
\echo '========================================================================'
\echo '  jibit: the API of Jibit from SQL'
\echo '========================================================================'
\if :live
\echo
\echo '  THIS IS THE REAL API. Every inquiry that is answered with success is'
\echo '  charged to the account of JIBIT_API_KEY: at most 26. Interrupt now'
\echo '  if that is not what you want. The values asked about belong to nobody,'
\echo '  so most inquiries fail; set JIBIT_DEMO_CARD, _IBAN, _BANK, _DEPOSIT,'
\echo '  _NATIONAL_CODE, _BIRTH_DATE, _MOBILE, _NAME, _POSTAL_CODE, _FIDA and'
\echo '  _CORPORATION to ask about your own.'
SELECT pg_sleep(5) \g /dev/null
\else
\echo
\echo '  Against a local sandbox, whose data are made up. No call leaves this'
\echo '  machine, none is charged.'
\endif

\echo
\echo
\echo '---- 1. The extension and the keys -------------------------------------'
\echo
\set ON_ERROR_STOP on
\set ECHO queries
CREATE EXTENSION jibit;
\set ECHO none
SELECT jibit_set_credentials(:'api_key', :'secret_key',
  base_url => nullif(:'base_url', '')) \g /dev/null
\unset api_key
\unset secret_key
\unset ON_ERROR_STOP
\echo '(The keys have been stored by a statement that is not shown. Whoever makes'
\echo 'inquiries cannot read them.)'
\echo
\echo 'Is everything there that an inquiry needs?'
\echo
\set ECHO queries
SELECT * FROM jibit_check();
\set ECHO none

\echo
\echo '---- 2. Cards, IBANs, deposits -----------------------------------------'
\echo
\set ECHO queries
SELECT * FROM jibit_card(:'card');
SELECT * FROM jibit_card_to_deposit(:'card');
SELECT * FROM jibit_card_to_iban(:'card');
SELECT * FROM jibit_iban(:'iban');
SELECT * FROM jibit_deposit_to_iban(:'bank', :'deposit');
SELECT bank, available FROM jibit_card_to_iban_availability() WHERE NOT available;
\set ECHO none

\echo
\echo '---- 3. Does it belong to this person? ---------------------------------'
\echo
\set ECHO queries
SELECT matched FROM jibit_match_card(:'card', :'national_code', :'birth_date');
SELECT matched FROM jibit_match_card_name(:'card', :'name');
SELECT matched FROM jibit_match_deposit(:'bank', :'deposit', :'national_code', :'birth_date');
SELECT matched FROM jibit_match_deposit_name(:'bank', :'deposit', :'name');
SELECT matched FROM jibit_match_iban(:'iban', :'national_code', :'birth_date');
SELECT matched FROM jibit_match_iban_name(:'iban', :'name');
SELECT matched FROM jibit_match_shahkar(:'national_code', :'mobile');
\set ECHO none

\echo
\echo '---- 4. Persons, addresses, licences -----------------------------------'
\echo
\set ECHO queries
SELECT first_name_similarity_percentage, last_name_similarity_percentage
FROM jibit_identity_similarity(:'national_code', :'birth_date',
  first_name => split_part(:'name', ' ', 1), last_name => split_part(:'name', ' ', 2));
SELECT * FROM jibit_military_service(:'national_code');
SELECT * FROM jibit_sana(:'national_code', :'mobile');
SELECT * FROM jibit_foreigner(:'fida');
SELECT * FROM jibit_postal_address(:'postal_code');
SELECT * FROM jibit_postal_location(:'postal_code');
SELECT * FROM jibit_corporation(:'corporation');
\set ECHO none

\echo
\echo '---- 5. The account ----------------------------------------------------'
\echo
\set ECHO queries
SELECT * FROM jibit_balances();
SELECT * FROM jibit_daily_report();
\set ECHO none

\echo
\echo '---- 6. Arguments as people type them ----------------------------------'
\echo
\echo 'Persian digits, blanks, a country code; a Gregorian date; Arabic letters:'
\echo
SELECT translate(:'national_code', '0123456789', '۰۱۲۳۴۵۶۷۸۹') AS persian_code,
  '+98 ' || substr(:'mobile', 2, 3) || ' ' || substr(:'mobile', 5) AS long_mobile,
  translate(:'name', 'یک', 'يك') AS arabic_name \gset
\set ECHO queries
SELECT matched FROM jibit_match_shahkar(:'persian_code', :'long_mobile');
SELECT matched FROM jibit_match_card(:'card', :'national_code', date '1981-06-20');
SELECT matched FROM jibit_match_card_name(:'card', :'arabic_name');
\set ECHO none

\echo
\echo '---- 7. When it fails --------------------------------------------------'
\echo
\echo 'A wrong check digit costs no call, and swapped arguments are noticed:'
\echo
\set ECHO queries
SELECT * FROM jibit_iban('IR270170000000100324200002');
SELECT * FROM jibit_match_shahkar(:'mobile', :'national_code');
\set ECHO none
\echo
\echo 'What the API refuses is an error with a SQLSTATE, its code, and a hint:'
\echo
\set ECHO queries
\set VERBOSITY verbose
SELECT * FROM jibit_iban('IR440179999900620000000000');
\set VERBOSITY default
SELECT inquiry, track_id, http_status, attempts, duration, (error).code, (error).errcode
FROM jibit_last_call();
\set ECHO none
\echo
\echo 'Or a warning, where a verdict shall not stop the statement:'
\echo
\set ECHO queries
SET jibit.on_error = 'warning';
SELECT (jibit_card_to_iban('6037999900430007')).iban;
RESET jibit.on_error;
\set ECHO none
\echo
\echo 'Every known code is explained in English and Persian:'
\echo
\set ECHO queries
SELECT code, errcode, retryable, description, description_fa
FROM jibit_error_codes
WHERE code IN ('card.is_expired', 'iban.not_found', 'daily_limit.reached');
\set ECHO none

\echo
\echo '---- 8. A match in a condition -----------------------------------------'
\echo
\set ECHO queries
CREATE TABLE customers (name text, national_code text, mobile text, card text);
\set ECHO none
\if :live
INSERT INTO customers VALUES (:'name', :'national_code', :'mobile', :'card');
\else
\set ECHO queries
INSERT INTO customers VALUES
  ('شیرین قاسمی', '0084575948', '09121234568', '6037997551234561'),
  ('کیان رضایی', '0012345679', '09351112239', '6104337100200136'),
  ('مریم احمدی', '1234567891', '09127654321', '6274120102030444'),
  ('آرش کیانی', '2276543213', '09190001117', NULL);
\set ECHO none
\endif
\set ECHO queries
SELECT name, mobile FROM customers
WHERE jibit_match_shahkar(national_code, mobile);
\set ECHO none
\echo
\echo 'Whose card is in another name? (A NULL card costs no call.)'
\echo
\set ECHO queries
SELECT c.name, i.owner_name AS owner_of_card
FROM customers c, LATERAL jibit_card(c.card) i
WHERE i.owner_name <> c.name;
\set ECHO none

\echo
\echo 'EXPLAIN makes no call; PostgreSQL checks what is cheaper first:'
\echo
\set ECHO queries
EXPLAIN (COSTS OFF) SELECT name FROM customers
WHERE jibit_match_shahkar(national_code, mobile) AND card IS NOT NULL;
\set ECHO none

\echo
\echo '---- 9. Tokens: one pair for all sessions, never shown -----------------'
\echo
\set ECHO queries
SELECT profile, state, obtained_at, expires_at, last_error FROM jibit_token_status;
\set ECHO none

\echo
\echo 'The end of the tour; README.md has the rest.'
\echo
