/* sql/jibit--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION jibit" to load this file. \quit

-- In the extension's schema there may be functions and operators of others,
-- and a superuser runs this: whatever is not qualified is the server's own.
SET LOCAL search_path = pg_catalog, pg_temp;

--
-- Result types. The columns are the API's fields, in its order.
--

CREATE TYPE @extschema@.jibit_error AS (
  code text,
  message text,
  errcode text,
  http_status int,
  retryable boolean,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_error IS
  'why an inquiry failed: the API''s or the extension''s code, its text, the SQLSTATE; retryable: it may pass by itself';

CREATE TYPE @extschema@.jibit_owner AS (
  first_name text,
  last_name text
);
COMMENT ON TYPE @extschema@.jibit_owner IS
  'an owner of an account';

CREATE TYPE @extschema@.jibit_identification_document AS (
  type text,
  code text,
  issue_date text,
  expiration_date text
);
COMMENT ON TYPE @extschema@.jibit_identification_document IS
  'an identification document of a foreign national';

CREATE TYPE @extschema@.jibit_card_info AS (
  number text,
  bank text,
  type text,
  owner_name text,
  deposit_number text,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_card_info IS
  'result of jibit_card()';

CREATE TYPE @extschema@.jibit_iban_info AS (
  iban text,
  bank text,
  deposit_number text,
  status text,
  owners @extschema@.jibit_owner[],
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_iban_info IS
  'result of jibit_iban(); status is ACTIVE, BLOCK_WITH_DEPOSIT, BLOCK_WITHOUT_DEPOSIT, IDLE or UNKNOWN';

CREATE TYPE @extschema@.jibit_card_deposit AS (
  number text,
  type text,
  bank text,
  deposit_number text,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_card_deposit IS
  'result of jibit_card_to_deposit()';

CREATE TYPE @extschema@.jibit_card_iban AS (
  number text,
  type text,
  bank text,
  deposit_number text,
  iban text,
  status text,
  owners @extschema@.jibit_owner[],
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_card_iban IS
  'result of jibit_card_to_iban()';

CREATE TYPE @extschema@.jibit_bank_availability AS (
  bank text,
  available boolean,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_bank_availability IS
  'row of jibit_card_to_iban_availability(); NULL where the API uses a word that is not documented';

CREATE TYPE @extschema@.jibit_deposit_iban AS (
  number text,
  bank text,
  iban text,
  deposit_number text,
  status text,
  owners @extschema@.jibit_owner[],
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_deposit_iban IS
  'result of jibit_deposit_to_iban()';

CREATE TYPE @extschema@.jibit_match AS (
  matched boolean,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_match IS
  'result of the matches; NULL where the API has no verdict. In a condition it is a boolean';

CREATE TYPE @extschema@.jibit_address AS (
  postal_code text,
  address text,
  province text,
  district text,
  street text,
  no text,
  floor text,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_address IS
  'result of jibit_postal_address()';

CREATE TYPE @extschema@.jibit_location AS (
  postal_code text,
  latitude float8,
  longitude float8,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_location IS
  'result of jibit_postal_location(), in WGS 84';

CREATE TYPE @extschema@.jibit_similarity AS (
  first_name_similarity_percentage int,
  last_name_similarity_percentage int,
  full_name_similarity_percentage int,
  father_name_similarity_percentage int,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_similarity IS
  'result of jibit_identity_similarity(); NULL for a name that was not asked';

CREATE TYPE @extschema@.jibit_foreigner_info AS (
  fida text,
  first_name text,
  last_name text,
  father_name text,
  birth_date text,
  ancestor_name text,
  gender text,
  birth_place_country text,
  birth_place_city text,
  nationality text,
  identification_documents @extschema@.jibit_identification_document[],
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_foreigner_info IS
  'result of jibit_foreigner()';

CREATE TYPE @extschema@.jibit_corporation_info AS (
  lic_issue_date text,
  lic_expire_date text,
  lic_type text,
  lic_time text,
  address text,
  blue_plaque text,
  registered_plaque text,
  postal_code text,
  area bigint,
  union_name text,
  union_id bigint,
  guild_id bigint,
  convent_id bigint,
  convent_name text,
  city_id bigint,
  board_title text,
  corporate_identity text,
  lic_state text,
  tel text,
  isic text,
  company_national_code text,
  isic_name text,
  hc_license_request_type_name text,
  has_expire_letter text,
  expire_letter_date text,
  code text,
  first_name text,
  last_name text,
  father_name text,
  national_code text,
  is_male text,
  mobile text,
  type_name text,
  type_code text,
  birth_date text,
  identity_no text,
  country text,
  religion text,
  military_state text,
  education_level text,
  provider_tracker_id text,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_corporation_info IS
  'result of jibit_corporation(); the API gives each field only where it has it';

CREATE TYPE @extschema@.jibit_military_service_info AS (
  national_code text,
  qualified boolean,
  description text,
  provider_tracker_id text,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_military_service_info IS
  'result of jibit_military_service(); qualified is false for absentees';

CREATE TYPE @extschema@.jibit_sana_info AS (
  national_code text,
  mobile_number text,
  registered boolean,
  matched boolean,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_sana_info IS
  'result of jibit_sana()';

CREATE TYPE @extschema@.jibit_balance AS (
  balance_type text,
  currency text,
  amount bigint,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_balance IS
  'row of jibit_balances(); balance_type is PRF (prepaid) or POF (postpaid)';

CREATE TYPE @extschema@.jibit_service_usage AS (
  service text,
  persian_name text,
  count bigint,
  track_id text
);
COMMENT ON TYPE @extschema@.jibit_service_usage IS
  'row of jibit_daily_report()';

--
-- Inquiries. Each calls the API: volatile, so that the planner never does, and
-- costly, so that whatever is cheaper is filtered first (but not so costly
-- that a few rows look worth a JIT compilation). NULL in
-- a required argument gives NULL and no call. Failures raise class JB.
--

CREATE FUNCTION @extschema@.jibit_card(card text)
RETURNS @extschema@.jibit_card_info
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_card';
COMMENT ON FUNCTION @extschema@.jibit_card(text) IS
  'what the bank says of a card: its type, owner, deposit number';

CREATE FUNCTION @extschema@.jibit_iban(iban text)
RETURNS @extschema@.jibit_iban_info
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_iban';
COMMENT ON FUNCTION @extschema@.jibit_iban(text) IS
  'an IBAN''s account: bank, status, owners';

CREATE FUNCTION @extschema@.jibit_card_to_deposit(card text)
RETURNS @extschema@.jibit_card_deposit
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_card_to_deposit';
COMMENT ON FUNCTION @extschema@.jibit_card_to_deposit(text) IS
  'the deposit number behind a card';

CREATE FUNCTION @extschema@.jibit_card_to_iban(card text)
RETURNS @extschema@.jibit_card_iban
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_card_to_iban';
COMMENT ON FUNCTION @extschema@.jibit_card_to_iban(text) IS
  'the IBAN behind a debit card, with its status and owners';

CREATE FUNCTION @extschema@.jibit_card_to_iban_availability()
RETURNS SETOF @extschema@.jibit_bank_availability
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000 ROWS 40
AS 'MODULE_PATHNAME', 'jibit_card_to_iban_availability';
COMMENT ON FUNCTION @extschema@.jibit_card_to_iban_availability() IS
  'for which banks jibit_card_to_iban() works just now; not charged';

CREATE FUNCTION @extschema@.jibit_deposit_to_iban(bank text, number text)
RETURNS @extschema@.jibit_deposit_iban
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_deposit_to_iban';
COMMENT ON FUNCTION @extschema@.jibit_deposit_to_iban(text, text) IS
  'the IBAN of a deposit number at a bank';

CREATE FUNCTION @extschema@.jibit_match_card(
  card text,
  national_code text,
  birth_date text
)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_card';
COMMENT ON FUNCTION @extschema@.jibit_match_card(text, text, text) IS
  'does the card belong to this person? The birth date is Jalali, YYYYMMDD';

CREATE FUNCTION @extschema@.jibit_match_card(
  card text,
  national_code text,
  birth_date date
)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_card';
COMMENT ON FUNCTION @extschema@.jibit_match_card(text, text, date) IS
  'does the card belong to this person? The birth date is Gregorian';

CREATE FUNCTION @extschema@.jibit_match_card_name(card text, name text)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_card_name';
COMMENT ON FUNCTION @extschema@.jibit_match_card_name(text, text) IS
  'does the card belong to somebody of this name?';

CREATE FUNCTION @extschema@.jibit_match_deposit(
  bank text,
  number text,
  national_code text,
  birth_date text
)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_deposit';
COMMENT ON FUNCTION @extschema@.jibit_match_deposit(text, text, text, text) IS
  'does the deposit belong to this person? The birth date is Jalali, YYYYMMDD';

CREATE FUNCTION @extschema@.jibit_match_deposit(
  bank text,
  number text,
  national_code text,
  birth_date date
)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_deposit';
COMMENT ON FUNCTION @extschema@.jibit_match_deposit(text, text, text, date) IS
  'does the deposit belong to this person? The birth date is Gregorian';

CREATE FUNCTION @extschema@.jibit_match_deposit_name(
  bank text,
  number text,
  name text
)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_deposit_name';
COMMENT ON FUNCTION @extschema@.jibit_match_deposit_name(text, text, text) IS
  'does the deposit belong to somebody of this name?';

CREATE FUNCTION @extschema@.jibit_match_iban(
  iban text,
  national_code text,
  birth_date text
)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_iban';
COMMENT ON FUNCTION @extschema@.jibit_match_iban(text, text, text) IS
  'does the IBAN belong to this person? The birth date is Jalali, YYYYMMDD';

CREATE FUNCTION @extschema@.jibit_match_iban(
  iban text,
  national_code text,
  birth_date date
)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_iban';
COMMENT ON FUNCTION @extschema@.jibit_match_iban(text, text, date) IS
  'does the IBAN belong to this person? The birth date is Gregorian';

CREATE FUNCTION @extschema@.jibit_match_iban_name(iban text, name text)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_iban_name';
COMMENT ON FUNCTION @extschema@.jibit_match_iban_name(text, text) IS
  'does the IBAN belong to somebody of this name?';

CREATE FUNCTION @extschema@.jibit_match_shahkar(national_code text, mobile text)
RETURNS @extschema@.jibit_match
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_match_shahkar';
COMMENT ON FUNCTION @extschema@.jibit_match_shahkar(text, text) IS
  'Shahkar: does this mobile belong to the person with this national code?';

CREATE FUNCTION @extschema@.jibit_postal_address(code text)
RETURNS @extschema@.jibit_address
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_postal_address';
COMMENT ON FUNCTION @extschema@.jibit_postal_address(text) IS
  'the address of a postal code';

CREATE FUNCTION @extschema@.jibit_postal_location(code text)
RETURNS @extschema@.jibit_location
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_postal_location';
COMMENT ON FUNCTION @extschema@.jibit_postal_location(text) IS
  'where a postal code is, in WGS 84';

CREATE FUNCTION @extschema@.jibit_identity_similarity(
  national_code text,
  birth_date text,
  first_name text DEFAULT NULL,
  last_name text DEFAULT NULL,
  full_name text DEFAULT NULL,
  father_name text DEFAULT NULL
)
RETURNS @extschema@.jibit_similarity
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_identity_similarity';
COMMENT ON FUNCTION @extschema@.jibit_identity_similarity(text, text, text, text, text, text) IS
  'how much names resemble those in the civil registry, in percent; give at least one. The birth date is Jalali, YYYYMMDD';

CREATE FUNCTION @extschema@.jibit_identity_similarity(
  national_code text,
  birth_date date,
  first_name text DEFAULT NULL,
  last_name text DEFAULT NULL,
  full_name text DEFAULT NULL,
  father_name text DEFAULT NULL
)
RETURNS @extschema@.jibit_similarity
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_identity_similarity';
COMMENT ON FUNCTION @extschema@.jibit_identity_similarity(text, date, text, text, text, text) IS
  'how much names resemble those in the civil registry, in percent; with a Gregorian date';

CREATE FUNCTION @extschema@.jibit_foreigner(fida text)
RETURNS @extschema@.jibit_foreigner_info
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_foreigner';
COMMENT ON FUNCTION @extschema@.jibit_foreigner(text) IS
  'a foreign national by the FIDA number';

CREATE FUNCTION @extschema@.jibit_corporation(code text)
RETURNS @extschema@.jibit_corporation_info
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_corporation';
COMMENT ON FUNCTION @extschema@.jibit_corporation(text) IS
  'a guild licence by its code';

CREATE FUNCTION @extschema@.jibit_military_service(national_code text)
RETURNS @extschema@.jibit_military_service_info
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_military_service';
COMMENT ON FUNCTION @extschema@.jibit_military_service(text) IS
  'is the person''s military service in order?';

CREATE FUNCTION @extschema@.jibit_sana(national_code text, mobile text)
RETURNS @extschema@.jibit_sana_info
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_sana';
COMMENT ON FUNCTION @extschema@.jibit_sana(text, text) IS
  'is the person registered for the judiciary''s e-notifications (Sana)?';

CREATE FUNCTION @extschema@.jibit_balances()
RETURNS SETOF @extschema@.jibit_balance
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000 ROWS 2
AS 'MODULE_PATHNAME', 'jibit_balances';
COMMENT ON FUNCTION @extschema@.jibit_balances() IS
  'the account''s balances at the API; not charged';

CREATE FUNCTION @extschema@.jibit_daily_report(day text)
RETURNS SETOF @extschema@.jibit_service_usage
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000 ROWS 25
AS 'MODULE_PATHNAME', 'jibit_daily_report';
COMMENT ON FUNCTION @extschema@.jibit_daily_report(text) IS
  'the account''s calls of a day, by service. The day is Jalali, YYYYMMDD or yyMMdd; not charged';

CREATE FUNCTION @extschema@.jibit_daily_report(day date)
RETURNS SETOF @extschema@.jibit_service_usage
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000 ROWS 25
AS 'MODULE_PATHNAME', 'jibit_daily_report';
COMMENT ON FUNCTION @extschema@.jibit_daily_report(date) IS
  'the account''s calls of a day (Gregorian), by service; not charged';

CREATE FUNCTION @extschema@.jibit_daily_report()
RETURNS SETOF @extschema@.jibit_service_usage
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000 ROWS 25
AS 'MODULE_PATHNAME', 'jibit_daily_report';
COMMENT ON FUNCTION @extschema@.jibit_daily_report() IS
  'the account''s calls of today in Tehran, by service; not charged';

--
-- Many at once: an array for each argument, a row for each element. An
-- element's failure is its row's error; only what concerns all of them (JB007,
-- JB011, a cancel) ends the statement. Equal elements cost one call.
--

CREATE FUNCTION @extschema@.jibit_card_batch(
  cards text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_card_info,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_card_batch';
COMMENT ON FUNCTION @extschema@.jibit_card_batch(text[]) IS
  'jibit_card() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_iban_batch(
  ibans text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_iban_info,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_iban_batch';
COMMENT ON FUNCTION @extschema@.jibit_iban_batch(text[]) IS
  'jibit_iban() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_card_to_deposit_batch(
  cards text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_card_deposit,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_card_to_deposit_batch';
COMMENT ON FUNCTION @extschema@.jibit_card_to_deposit_batch(text[]) IS
  'jibit_card_to_deposit() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_card_to_iban_batch(
  cards text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_card_iban,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_card_to_iban_batch';
COMMENT ON FUNCTION @extschema@.jibit_card_to_iban_batch(text[]) IS
  'jibit_card_to_iban() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_deposit_to_iban_batch(
  banks text[],
  numbers text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_deposit_iban,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_deposit_to_iban_batch';
COMMENT ON FUNCTION @extschema@.jibit_deposit_to_iban_batch(text[], text[]) IS
  'jibit_deposit_to_iban() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_match_card_batch(
  cards text[],
  national_codes text[],
  birth_dates text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_match,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_match_card_batch';
COMMENT ON FUNCTION @extschema@.jibit_match_card_batch(text[], text[], text[]) IS
  'jibit_match_card() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_match_card_name_batch(
  cards text[],
  names text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_match,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_match_card_name_batch';
COMMENT ON FUNCTION @extschema@.jibit_match_card_name_batch(text[], text[]) IS
  'jibit_match_card_name() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_match_deposit_batch(
  banks text[],
  numbers text[],
  national_codes text[],
  birth_dates text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_match,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_match_deposit_batch';
COMMENT ON FUNCTION @extschema@.jibit_match_deposit_batch(text[], text[], text[], text[]) IS
  'jibit_match_deposit() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_match_deposit_name_batch(
  banks text[],
  numbers text[],
  names text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_match,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_match_deposit_name_batch';
COMMENT ON FUNCTION @extschema@.jibit_match_deposit_name_batch(text[], text[], text[]) IS
  'jibit_match_deposit_name() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_match_iban_batch(
  ibans text[],
  national_codes text[],
  birth_dates text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_match,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_match_iban_batch';
COMMENT ON FUNCTION @extschema@.jibit_match_iban_batch(text[], text[], text[]) IS
  'jibit_match_iban() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_match_iban_name_batch(
  ibans text[],
  names text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_match,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_match_iban_name_batch';
COMMENT ON FUNCTION @extschema@.jibit_match_iban_name_batch(text[], text[]) IS
  'jibit_match_iban_name() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_match_shahkar_batch(
  national_codes text[],
  mobiles text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_match,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_match_shahkar_batch';
COMMENT ON FUNCTION @extschema@.jibit_match_shahkar_batch(text[], text[]) IS
  'jibit_match_shahkar() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_postal_address_batch(
  codes text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_address,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_postal_address_batch';
COMMENT ON FUNCTION @extschema@.jibit_postal_address_batch(text[]) IS
  'jibit_postal_address() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_postal_location_batch(
  codes text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_location,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_postal_location_batch';
COMMENT ON FUNCTION @extschema@.jibit_postal_location_batch(text[]) IS
  'jibit_postal_location() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_identity_similarity_batch(
  national_codes text[],
  birth_dates text[],
  first_names text[] DEFAULT NULL,
  last_names text[] DEFAULT NULL,
  full_names text[] DEFAULT NULL,
  father_names text[] DEFAULT NULL
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_similarity,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_identity_similarity_batch';
COMMENT ON FUNCTION @extschema@.jibit_identity_similarity_batch(text[], text[], text[], text[], text[], text[]) IS
  'jibit_identity_similarity() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_foreigner_batch(
  fidas text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_foreigner_info,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_foreigner_batch';
COMMENT ON FUNCTION @extschema@.jibit_foreigner_batch(text[]) IS
  'jibit_foreigner() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_corporation_batch(
  codes text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_corporation_info,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_corporation_batch';
COMMENT ON FUNCTION @extschema@.jibit_corporation_batch(text[]) IS
  'jibit_corporation() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_military_service_batch(
  national_codes text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_military_service_info,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_military_service_batch';
COMMENT ON FUNCTION @extschema@.jibit_military_service_batch(text[]) IS
  'jibit_military_service() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_sana_batch(
  national_codes text[],
  mobiles text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_sana_info,
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_sana_batch';
COMMENT ON FUNCTION @extschema@.jibit_sana_batch(text[], text[]) IS
  'jibit_sana() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_daily_report_batch(
  days text[]
)
RETURNS TABLE (
  ordinality bigint,
  result @extschema@.jibit_service_usage[],
  error @extschema@.jibit_error
)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'jibit_daily_report_batch';
COMMENT ON FUNCTION @extschema@.jibit_daily_report_batch(text[]) IS
  'jibit_daily_report() for every element, many at a time: a row each, in order, with its result or its error';

CREATE FUNCTION @extschema@.jibit_request(
  path text,
  query jsonb DEFAULT '{}'
)
RETURNS jsonb
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000
AS 'MODULE_PATHNAME', 'jibit_request';
COMMENT ON FUNCTION @extschema@.jibit_request(text, jsonb) IS
  'sends an authorised GET to a path of the API that has no function here (yet); never cached. Raises 22023 for what is no path or query';

CREATE FUNCTION @extschema@.jibit_match_to_boolean(match @extschema@.jibit_match)
RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (match).matched;
COMMENT ON FUNCTION @extschema@.jibit_match_to_boolean(@extschema@.jibit_match) IS
  'the verdict of a match; serves the cast';

CREATE CAST (@extschema@.jibit_match AS boolean)
  WITH FUNCTION @extschema@.jibit_match_to_boolean(@extschema@.jibit_match)
  AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.jibit_match AS boolean) IS
  'lets a match stand as a condition';

CREATE FUNCTION @extschema@.jibit_last_call(
  OUT inquiry text,
  OUT profile text,
  OUT track_id text,
  OUT http_status int,
  OUT attempts int,
  OUT cached boolean,
  OUT duration interval,
  OUT error @extschema@.jibit_error
)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 1
AS 'MODULE_PATHNAME', 'jibit_last_call';
COMMENT ON FUNCTION @extschema@.jibit_last_call() IS
  'this session''s latest inquiry; no row before the first';

--
-- Without a call: for CHECK constraints, generated columns, indexes. A value
-- is valid when it normalises.
--

CREATE FUNCTION @extschema@.jibit_valid_iban(value text)
RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_valid_iban';
COMMENT ON FUNCTION @extschema@.jibit_valid_iban(text) IS
  'is this an IBAN of Iran, with or without IR? Digits of any script, blanks, dashes and marks are taken as the inquiries take them';

CREATE FUNCTION @extschema@.jibit_valid_card(value text)
RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_valid_card';
COMMENT ON FUNCTION @extschema@.jibit_valid_card(text) IS
  'is this a card number, by its length and check digit? Digits of any script, blanks, dashes and marks are taken as the inquiries take them';

CREATE FUNCTION @extschema@.jibit_valid_national_code(value text)
RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_valid_national_code';
COMMENT ON FUNCTION @extschema@.jibit_valid_national_code(text) IS
  'is this a person''s national code, by its length and check digit? Digits of any script, blanks, dashes and marks are taken as the inquiries take them';

CREATE FUNCTION @extschema@.jibit_valid_company_id(value text)
RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_valid_company_id';
COMMENT ON FUNCTION @extschema@.jibit_valid_company_id(text) IS
  'is this a legal person''s national id, by its length and check digit? Digits of any script, blanks, dashes and marks are taken as the inquiries take them';

CREATE FUNCTION @extschema@.jibit_valid_mobile(value text)
RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_valid_mobile';
COMMENT ON FUNCTION @extschema@.jibit_valid_mobile(text) IS
  'is this a mobile number of Iran? Digits of any script, blanks, dashes and marks are taken as the inquiries take them';

CREATE FUNCTION @extschema@.jibit_valid_postal_code(value text)
RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_valid_postal_code';
COMMENT ON FUNCTION @extschema@.jibit_valid_postal_code(text) IS
  'is this a postal code, that is any ten digits? Digits of any script, blanks, dashes and marks are taken as the inquiries take them';

CREATE FUNCTION @extschema@.jibit_normalize_iban(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_normalize_iban';
COMMENT ON FUNCTION @extschema@.jibit_normalize_iban(text) IS
  'the value as IR and 24 digits; NULL if it is not valid';

CREATE FUNCTION @extschema@.jibit_normalize_card(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_normalize_card';
COMMENT ON FUNCTION @extschema@.jibit_normalize_card(text) IS
  'the value as 16 digits; NULL if it is not valid';

CREATE FUNCTION @extschema@.jibit_normalize_national_code(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_normalize_national_code';
COMMENT ON FUNCTION @extschema@.jibit_normalize_national_code(text) IS
  'the value as ten digits; NULL if it is not valid';

CREATE FUNCTION @extschema@.jibit_normalize_company_id(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_normalize_company_id';
COMMENT ON FUNCTION @extschema@.jibit_normalize_company_id(text) IS
  'the value as eleven digits; NULL if it is not valid';

CREATE FUNCTION @extschema@.jibit_normalize_mobile(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_normalize_mobile';
COMMENT ON FUNCTION @extschema@.jibit_normalize_mobile(text) IS
  'the value as 09 and nine digits; NULL if it is not valid';

CREATE FUNCTION @extschema@.jibit_normalize_postal_code(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_normalize_postal_code';
COMMENT ON FUNCTION @extschema@.jibit_normalize_postal_code(text) IS
  'the value as ten digits; NULL if it is not valid';

CREATE FUNCTION @extschema@.jibit_normalize_name(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_normalize_name';
COMMENT ON FUNCTION @extschema@.jibit_normalize_name(text) IS
  'the name as it is sent: Persian letters for the Arabic ye and kaf, no blanks at the ends; NULL if nothing is left';

CREATE FUNCTION @extschema@.jibit_format_iban(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_format_iban';
COMMENT ON FUNCTION @extschema@.jibit_format_iban(text) IS
  'the IBAN in groups of four; NULL if it is not valid';

CREATE FUNCTION @extschema@.jibit_mask_card(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_sql_mask_card';
COMMENT ON FUNCTION @extschema@.jibit_mask_card(text) IS
  'the card with stars but for the first six and the last four digits; NULL if it has not 16 digits';

CREATE FUNCTION @extschema@.jibit_iban_bank(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_iban_bank';
COMMENT ON FUNCTION @extschema@.jibit_iban_bank(text) IS
  'the id in jibit_banks of an IBAN''s bank; NULL if it is not valid or the bank not known';

CREATE FUNCTION @extschema@.jibit_card_bank(value text)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_card_bank';
COMMENT ON FUNCTION @extschema@.jibit_card_bank(text) IS
  'the id in jibit_banks of a card''s bank; NULL if it is not valid or the bank not known';

CREATE FUNCTION @extschema@.jibit_to_jalali(day date)
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_to_jalali';
COMMENT ON FUNCTION @extschema@.jibit_to_jalali(date) IS
  'the day in the Jalali calendar, YYYYMMDD. Raises 22008 beyond the years 1 to 2000';

CREATE FUNCTION @extschema@.jibit_from_jalali(day text)
RETURNS date
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'jibit_from_jalali';
COMMENT ON FUNCTION @extschema@.jibit_from_jalali(text) IS
  'the day that a Jalali date names, YYYYMMDD or with / or -. Raises 22007 for what is no date, 22008 for a day that does not exist';

CREATE FUNCTION @extschema@.jibit_bank_list(
  OUT id text,
  OUT name text,
  OUT name_fa text,
  OUT website text,
  OUT iban_codes text[],
  OUT card_prefixes text[],
  OUT merged_from text[]
)
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 33
AS 'MODULE_PATHNAME', 'jibit_bank_list';
COMMENT ON FUNCTION @extschema@.jibit_bank_list() IS
  'rows of the view jibit_banks';

CREATE VIEW @extschema@.jibit_banks AS
  SELECT id, name, name_fa, website, iban_codes, card_prefixes, merged_from
  FROM @extschema@.jibit_bank_list();
COMMENT ON VIEW @extschema@.jibit_banks IS
  'the banks: the API''s identifier, the codes in IBANs, the prefixes of cards (the longest that fits counts), the banks that it has taken over';
GRANT SELECT ON @extschema@.jibit_banks TO PUBLIC;

CREATE DOMAIN @extschema@.jibit_iban_text AS text
  CONSTRAINT valid_and_normalized_iban
  CHECK (VALUE IS NOT DISTINCT FROM @extschema@.jibit_normalize_iban(VALUE));
COMMENT ON DOMAIN @extschema@.jibit_iban_text IS
  'an IBAN of Iran, as jibit_normalize_iban() gives it (IR and 24 digits), so that equal values compare equal';
COMMENT ON CONSTRAINT valid_and_normalized_iban ON DOMAIN @extschema@.jibit_iban_text IS
  'what is valid but not in that form is refused too: store jibit_normalize_iban(value)';

CREATE DOMAIN @extschema@.jibit_card_text AS text
  CONSTRAINT valid_and_normalized_card
  CHECK (VALUE IS NOT DISTINCT FROM @extschema@.jibit_normalize_card(VALUE));
COMMENT ON DOMAIN @extschema@.jibit_card_text IS
  'a card number, as jibit_normalize_card() gives it (16 digits), so that equal values compare equal';
COMMENT ON CONSTRAINT valid_and_normalized_card ON DOMAIN @extschema@.jibit_card_text IS
  'what is valid but not in that form is refused too: store jibit_normalize_card(value)';

CREATE DOMAIN @extschema@.jibit_national_code_text AS text
  CONSTRAINT valid_and_normalized_national_code
  CHECK (VALUE IS NOT DISTINCT FROM @extschema@.jibit_normalize_national_code(VALUE));
COMMENT ON DOMAIN @extschema@.jibit_national_code_text IS
  'a person''s national code, as jibit_normalize_national_code() gives it (ten digits), so that equal values compare equal';
COMMENT ON CONSTRAINT valid_and_normalized_national_code ON DOMAIN @extschema@.jibit_national_code_text IS
  'what is valid but not in that form is refused too: store jibit_normalize_national_code(value)';

CREATE DOMAIN @extschema@.jibit_mobile_text AS text
  CONSTRAINT valid_and_normalized_mobile
  CHECK (VALUE IS NOT DISTINCT FROM @extschema@.jibit_normalize_mobile(VALUE));
COMMENT ON DOMAIN @extschema@.jibit_mobile_text IS
  'a mobile number of Iran, as jibit_normalize_mobile() gives it (09 and nine digits), so that equal values compare equal';
COMMENT ON CONSTRAINT valid_and_normalized_mobile ON DOMAIN @extschema@.jibit_mobile_text IS
  'what is valid but not in that form is refused too: store jibit_normalize_mobile(value)';

--
-- What the library knows.
--

CREATE FUNCTION @extschema@.jibit_error_code_list(
  OUT code text,
  OUT errcode text,
  OUT condition text,
  OUT retryable boolean,
  OUT description text,
  OUT description_fa text
)
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 80
AS 'MODULE_PATHNAME', 'jibit_error_code_list';
COMMENT ON FUNCTION @extschema@.jibit_error_code_list() IS
  'rows of the view jibit_error_codes';

CREATE VIEW @extschema@.jibit_error_codes AS
  SELECT code, errcode, condition, retryable, description, description_fa
  FROM @extschema@.jibit_error_code_list();
COMMENT ON VIEW @extschema@.jibit_error_codes IS
  'every error code that is known by name, with its SQLSTATE and an explanation';

CREATE FUNCTION @extschema@.jibit_inquiry_list(
  OUT inquiry text,
  OUT arguments text[],
  OUT path text,
  OUT charged boolean,
  OUT cacheable boolean,
  OUT cache_ttl interval,
  OUT daily_limit int
)
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 22
AS 'MODULE_PATHNAME', 'jibit_inquiry_list';
COMMENT ON FUNCTION @extschema@.jibit_inquiry_list() IS
  'rows of the view jibit_inquiries';

CREATE VIEW @extschema@.jibit_inquiries AS
  SELECT inquiry, arguments, path, charged, cacheable, cache_ttl, daily_limit
  FROM @extschema@.jibit_inquiry_list();
COMMENT ON VIEW @extschema@.jibit_inquiries IS
  'every inquiry: the function is jibit_ and its name; cache_ttl and daily_limit are as set now, NULL where there is none';

--
-- Credentials and tokens.
--

CREATE TABLE @extschema@.jibit_credentials (
  profile text NOT NULL,
  api_key text,
  secret_key text,
  base_url text DEFAULT 'https://napi.jibit.ir/ide',
  roles name[] DEFAULT NULL,
  CONSTRAINT jibit_credentials_pkey PRIMARY KEY (profile),
  CONSTRAINT jibit_credentials_profile_length
    CHECK (octet_length(profile) BETWEEN 1 AND 63)
);
COMMENT ON TABLE @extschema@.jibit_credentials IS
  'keys of the API accounts. Granted to nobody: the inquiries read it with its owner''s rights';
COMMENT ON COLUMN @extschema@.jibit_credentials.profile IS
  'name that jibit.profile picks';
COMMENT ON COLUMN @extschema@.jibit_credentials.api_key IS
  'the account''s API key';
COMMENT ON COLUMN @extschema@.jibit_credentials.secret_key IS
  'the account''s secret key';
COMMENT ON COLUMN @extschema@.jibit_credentials.base_url IS
  'where the API is; the paths begin with /v1 behind it';
COMMENT ON COLUMN @extschema@.jibit_credentials.roles IS
  'roles that may use the profile; NULL: every role that may execute an inquiry';
REVOKE ALL ON TABLE @extschema@.jibit_credentials FROM PUBLIC;

-- pg_dump carries the content.
SELECT pg_catalog.pg_extension_config_dump('@extschema@.jibit_credentials', '');

CREATE FUNCTION @extschema@.jibit_credentials_trigger()
RETURNS trigger
LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'jibit_credentials_trigger';
COMMENT ON FUNCTION @extschema@.jibit_credentials_trigger() IS
  'makes every session read changed credentials at its next call';

CREATE TRIGGER jibit_credentials_changed
  AFTER TRUNCATE
  ON @extschema@.jibit_credentials
  FOR EACH STATEMENT
  EXECUTE FUNCTION @extschema@.jibit_credentials_trigger();
COMMENT ON TRIGGER jibit_credentials_changed ON @extschema@.jibit_credentials IS
  'makes every session read changed credentials at its next call';

-- Logical replication fires triggers for each row, but none for statements
-- other than TRUNCATE.
CREATE TRIGGER jibit_credentials_row_changed
  AFTER INSERT OR UPDATE OR DELETE
  ON @extschema@.jibit_credentials
  FOR EACH ROW
  EXECUTE FUNCTION @extschema@.jibit_credentials_trigger();
COMMENT ON TRIGGER jibit_credentials_row_changed ON @extschema@.jibit_credentials IS
  'makes every session read credentials that came by logical replication at its next call';

-- Also when a restore or a replica switches triggers off.
ALTER TABLE @extschema@.jibit_credentials
  ENABLE ALWAYS TRIGGER jibit_credentials_changed,
  ENABLE ALWAYS TRIGGER jibit_credentials_row_changed;

CREATE FUNCTION @extschema@.jibit_set_credentials(
  api_key text,
  secret_key text,
  profile text DEFAULT 'default',
  base_url text DEFAULT NULL
)
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'jibit_set_credentials';
COMMENT ON FUNCTION @extschema@.jibit_set_credentials(text, text, text, text) IS
  'stores a profile''s keys in the credentials table; base_url NULL keeps the stored one or takes the default. Raises 22023 for empty values. The statement can end up in the log: COPY leaves the keys in none';

CREATE FUNCTION @extschema@.jibit_forget_tokens()
RETURNS void
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'jibit_forget_tokens';
COMMENT ON FUNCTION @extschema@.jibit_forget_tokens() IS
  'drops this database''s tokens and remembered refusals; the next call asks for a new pair';

CREATE FUNCTION @extschema@.jibit_token_status_list(
  OUT profile text,
  OUT state text,
  OUT obtained_at timestamptz,
  OUT expires_at timestamptz,
  OUT refresh_expires_at timestamptz,
  OUT last_error text
)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 2
AS 'MODULE_PATHNAME', 'jibit_token_status_list';
COMMENT ON FUNCTION @extschema@.jibit_token_status_list() IS
  'rows of the view jibit_token_status';

CREATE VIEW @extschema@.jibit_token_status AS
  SELECT profile, state, obtained_at, expires_at, refresh_expires_at, last_error
  FROM @extschema@.jibit_token_status_list();
COMMENT ON VIEW @extschema@.jibit_token_status IS
  'this database''s pairs of tokens, without the tokens; state is valid, renewing, fetching, expired, refused, failed or none (not got yet)';

CREATE FUNCTION @extschema@.jibit_check(
  OUT item text,
  OUT ok boolean,
  OUT detail text
)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000 ROWS 8
AS 'MODULE_PATHNAME', 'jibit_check';
COMMENT ON FUNCTION @extschema@.jibit_check() IS
  'goes through what an inquiry needs, from the library to the token, and says what is missing; costs no charged call';

--
-- Triggers: BEFORE INSERT OR UPDATE ... FOR EACH ROW EXECUTE FUNCTION
-- jibit_check_iban('iban_column', 'option=value', ...).
--

CREATE FUNCTION @extschema@.jibit_check_iban()
RETURNS trigger
LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'jibit_check_iban';
COMMENT ON FUNCTION @extschema@.jibit_check_iban() IS
  'refuses rows whose IBAN is not valid, not known, not in an accepted state or somebody else''s; arguments: its column, then status=, owner=, national_code=, birth_date=, online=, unavailable=, normalize=, profile=';

CREATE FUNCTION @extschema@.jibit_check_card()
RETURNS trigger
LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'jibit_check_card';
COMMENT ON FUNCTION @extschema@.jibit_check_card() IS
  'refuses rows whose card is not valid, refused by its bank or somebody else''s; arguments: its column, then owner=, national_code=, birth_date=, online=, unavailable=, normalize=, profile=';

CREATE FUNCTION @extschema@.jibit_check_shahkar()
RETURNS trigger
LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'jibit_check_shahkar';
COMMENT ON FUNCTION @extschema@.jibit_check_shahkar() IS
  'refuses rows whose mobile does not belong to the person; arguments: the columns of the national code and the mobile, then online=, unavailable=, normalize=, profile=';

--
-- Seeing what happens.
--

CREATE FUNCTION @extschema@.jibit_stats_list(
  OUT inquiry text,
  OUT profile text,
  OUT calls bigint,
  OUT succeeded bigint,
  OUT failed bigint,
  OUT cache_hits bigint,
  OUT statement_hits bigint,
  OUT retries bigint,
  OUT last_error text,
  OUT bytes_received bigint,
  OUT total_time float8,
  OUT mean_time float8,
  OUT max_time float8,
  OUT p50 float8,
  OUT p95 float8,
  OUT p99 float8
)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 25
AS 'MODULE_PATHNAME', 'jibit_stats_list';
COMMENT ON FUNCTION @extschema@.jibit_stats_list() IS
  'rows of the view jibit_stats';

CREATE VIEW @extschema@.jibit_stats AS
  SELECT inquiry, profile, calls, succeeded, failed, cache_hits,
         statement_hits, retries, last_error, bytes_received,
         total_time, mean_time, max_time, p50, p95, p99
  FROM @extschema@.jibit_stats_list();
COMMENT ON VIEW @extschema@.jibit_stats IS
  'what the whole server has called since the last reset: calls are those sent (not retries, not hits), succeeded those charged; times in ms, the quantiles within 5 %';

CREATE FUNCTION @extschema@.jibit_stats_reset()
RETURNS void
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'jibit_stats_reset_sql';
COMMENT ON FUNCTION @extschema@.jibit_stats_reset() IS
  'sets the counters of jibit_stats to zero';

CREATE FUNCTION @extschema@.jibit_cache_clear(inquiry text DEFAULT NULL)
RETURNS bigint
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'jibit_cache_clear_sql';
COMMENT ON FUNCTION @extschema@.jibit_cache_clear(text) IS
  'drops this database''s shared cached answers, of one inquiry or (NULL) of all; returns how many. Raises 22023 for an unknown inquiry';

--
-- The queue: inquiries that a background worker makes after the commit.
--

CREATE SEQUENCE @extschema@.jibit_queue_id;
COMMENT ON SEQUENCE @extschema@.jibit_queue_id IS
  'ids of requests';

-- A role by its OID, so that a request stays its submitter's under another name
-- and is no new role's of the same name. In a dump, and over logical replication,
-- it is the name that it has then: elsewhere the role of that name, or none.
CREATE TYPE @extschema@.jibit_role;
CREATE FUNCTION @extschema@.jibit_role_in(cstring) RETURNS @extschema@.jibit_role
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'jibit_role_in';
COMMENT ON FUNCTION @extschema@.jibit_role_in(cstring) IS 'I/O';
CREATE FUNCTION @extschema@.jibit_role_out(@extschema@.jibit_role) RETURNS cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'jibit_role_out';
COMMENT ON FUNCTION @extschema@.jibit_role_out(@extschema@.jibit_role) IS 'I/O';
CREATE FUNCTION @extschema@.jibit_role_recv(internal) RETURNS @extschema@.jibit_role
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'jibit_role_recv';
COMMENT ON FUNCTION @extschema@.jibit_role_recv(internal) IS 'I/O';
CREATE FUNCTION @extschema@.jibit_role_send(@extschema@.jibit_role) RETURNS bytea
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'jibit_role_send';
COMMENT ON FUNCTION @extschema@.jibit_role_send(@extschema@.jibit_role) IS 'I/O';
CREATE TYPE @extschema@.jibit_role (
  INPUT = @extschema@.jibit_role_in,
  OUTPUT = @extschema@.jibit_role_out,
  RECEIVE = @extschema@.jibit_role_recv,
  SEND = @extschema@.jibit_role_send,
  LIKE = pg_catalog.oid
);
COMMENT ON TYPE @extschema@.jibit_role IS
  'a role; its text is the name that it has now, or nothing where it is gone';
CREATE CAST (@extschema@.jibit_role AS pg_catalog.oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.oid AS @extschema@.jibit_role) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.jibit_role AS pg_catalog.oid) IS 'the role''s OID';
COMMENT ON CAST (pg_catalog.oid AS @extschema@.jibit_role) IS 'the role of an OID';

-- True where jibit_submit() has set it, in this cluster or in the one of which
-- pg_upgrade has made it. What a dump or logical replication brings is false.
CREATE TYPE @extschema@.jibit_local;
CREATE FUNCTION @extschema@.jibit_local_in(cstring) RETURNS @extschema@.jibit_local
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'jibit_local_in';
COMMENT ON FUNCTION @extschema@.jibit_local_in(cstring) IS 'I/O';
CREATE FUNCTION @extschema@.jibit_local_out(@extschema@.jibit_local) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'jibit_local_out';
COMMENT ON FUNCTION @extschema@.jibit_local_out(@extschema@.jibit_local) IS 'I/O';
CREATE FUNCTION @extschema@.jibit_local_recv(internal) RETURNS @extschema@.jibit_local
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'jibit_local_recv';
COMMENT ON FUNCTION @extschema@.jibit_local_recv(internal) IS 'I/O';
CREATE FUNCTION @extschema@.jibit_local_send(@extschema@.jibit_local) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'jibit_local_send';
COMMENT ON FUNCTION @extschema@.jibit_local_send(@extschema@.jibit_local) IS 'I/O';
CREATE TYPE @extschema@.jibit_local (
  INPUT = @extschema@.jibit_local_in,
  OUTPUT = @extschema@.jibit_local_out,
  RECEIVE = @extschema@.jibit_local_recv,
  SEND = @extschema@.jibit_local_send,
  LIKE = pg_catalog.bool
);
COMMENT ON TYPE @extschema@.jibit_local IS
  'a boolean that is false wherever its text or its binary form is read';
CREATE CAST (@extschema@.jibit_local AS pg_catalog.bool) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.bool AS @extschema@.jibit_local) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.jibit_local AS pg_catalog.bool) IS 'the boolean';
COMMENT ON CAST (pg_catalog.bool AS @extschema@.jibit_local) IS 'the boolean, as it is';

-- Claiming changes no indexed column, and so needs room in the page only.
CREATE TABLE @extschema@.jibit_queue (
  id bigint PRIMARY KEY,
  inquiry text COLLATE "C" NOT NULL,
  arguments jsonb NOT NULL,
  profile text COLLATE "C" NOT NULL,
  priority int NOT NULL,
  state text COLLATE "C" NOT NULL
    CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  attempts int NOT NULL,
  track_id text NOT NULL,
  submitted_by name NOT NULL,
  submitted_at timestamptz NOT NULL,
  run_after timestamptz NOT NULL,
  finished_at timestamptz,
  result jsonb,
  error @extschema@.jibit_error,
  submitter @extschema@.jibit_role,
  is_local @extschema@.jibit_local
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,
        autovacuum_analyze_scale_factor = 0.05);
COMMENT ON TABLE @extschema@.jibit_queue IS
  'requests of the queue; arguments, results and errors are personal data. See jibit_requests for one''s own';

-- What is due, by lanes of one profile, inquiry and priority. What has come from
-- elsewhere is not run.
CREATE INDEX jibit_queue_due ON @extschema@.jibit_queue
  (profile, inquiry, priority, run_after, id) WHERE finished_at IS NULL AND is_local;
CREATE INDEX jibit_queue_finished ON @extschema@.jibit_queue
  (finished_at) WHERE finished_at IS NOT NULL;

-- How many requests have finished: sums of n, for the time being one row or more
-- for each second. A restore counts what it brings, so it is not dumped.
CREATE TABLE @extschema@.jibit_counts (
  submitter @extschema@.jibit_role,
  profile text COLLATE "C" NOT NULL,
  inquiry text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  second timestamptz,
  n bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
ALTER TABLE @extschema@.jibit_counts REPLICA IDENTITY FULL;
COMMENT ON TABLE @extschema@.jibit_counts IS
  'by how much the numbers of finished requests have changed; see jibit_progress for the sums';

CREATE FUNCTION @extschema@.jibit_queue_changed()
RETURNS trigger
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'jibit_queue_changed';
COMMENT ON FUNCTION @extschema@.jibit_queue_changed() IS
  'trigger of jibit_queue: keeps jibit_counts';
CREATE TRIGGER jibit_inserted AFTER INSERT ON @extschema@.jibit_queue
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.jibit_queue_changed();
CREATE TRIGGER jibit_updated AFTER UPDATE ON @extschema@.jibit_queue
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.jibit_queue_changed();
CREATE TRIGGER jibit_deleted AFTER DELETE ON @extschema@.jibit_queue
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.jibit_queue_changed();
CREATE TRIGGER jibit_truncated AFTER TRUNCATE ON @extschema@.jibit_queue
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.jibit_queue_changed();

CREATE TABLE @extschema@.jibit_pauses (
  profile text COLLATE "C" NOT NULL,
  inquiry text COLLATE "C" NOT NULL,
  code text NOT NULL,
  message text,
  paused_at timestamptz NOT NULL,
  paused_until timestamptz NOT NULL,
  PRIMARY KEY (profile, inquiry)
);
COMMENT ON TABLE @extschema@.jibit_pauses IS
  'what the background worker does not ask for now, and why; inquiry '''' stands for all of the profile. jibit_resume(), or deleting a row, ends a pause';

REVOKE ALL ON TABLE @extschema@.jibit_queue, @extschema@.jibit_counts, @extschema@.jibit_pauses FROM PUBLIC;
REVOKE ALL ON SEQUENCE @extschema@.jibit_queue_id FROM PUBLIC;

-- A restored copy must not spend money: only what has finished is dumped.
SELECT pg_catalog.pg_extension_config_dump('@extschema@.jibit_queue', 'WHERE finished_at IS NOT NULL');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.jibit_queue_id', '');

-- The worker claims somewhat more than it calls at a time: that still waits.
CREATE FUNCTION @extschema@.jibit_called_ids()
RETURNS bigint[]
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'jibit_called_ids';
COMMENT ON FUNCTION @extschema@.jibit_called_ids() IS
  'ids of the requests that this database''s worker is calling now';

CREATE VIEW @extschema@.jibit_requests WITH (security_barrier) AS
  SELECT q.id, q.inquiry, q.arguments, q.profile,
         CASE WHEN w.waits THEN 'queued' ELSE q.state END AS state,
         q.attempts - w.waits::int AS attempts, q.submitted_by,
         q.submitted_at, q.run_after, q.finished_at, q.result, q.error
  FROM @extschema@.jibit_queue q,
       LATERAL (SELECT q.state = 'running'
                  AND q.id <> ALL ((SELECT @extschema@.jibit_called_ids())::bigint[]) AS waits) w
  WHERE q.submitter = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user);
COMMENT ON VIEW @extschema@.jibit_requests IS
  'the requests that one has submitted; state is queued, running, succeeded, failed or cancelled';

CREATE VIEW @extschema@.jibit_progress WITH (security_barrier) AS
  SELECT q.profile, q.inquiry, q.queued, q.running, q.succeeded, q.failed,
         q.cancelled, round(q.rate::numeric, 2)::float8 AS rate,
         CASE WHEN q.queued + q.running = 0 THEN interval '0'
              WHEN q.rate > 0
              THEN pg_catalog.make_interval(secs => (q.queued + q.running) / q.rate)
         END AS time_left,
         p.paused_until, p.code AS pause_code, p.message AS pause_message
  FROM (
    SELECT profile, inquiry,
           coalesce(sum(n) FILTER (WHERE state = 'queued'), 0)::bigint AS queued,
           coalesce(sum(n) FILTER (WHERE state = 'running'), 0)::bigint AS running,
           coalesce(sum(n) FILTER (WHERE state = 'succeeded'), 0)::bigint AS succeeded,
           coalesce(sum(n) FILTER (WHERE state = 'failed'), 0)::bigint AS failed,
           coalesce(sum(n) FILTER (WHERE state = 'cancelled'), 0)::bigint AS cancelled,
           coalesce(sum(n) FILTER (WHERE state IN ('succeeded', 'failed')
                                     AND second >= statement_timestamp() - interval '1 minute'), 0)
             / 60.0::float8 AS rate
    FROM (
      SELECT submitter, profile, inquiry,
             CASE WHEN state = 'running'
                       AND id <> ALL ((SELECT @extschema@.jibit_called_ids())::bigint[])
                  THEN 'queued' ELSE state END AS state,
             NULL::timestamptz AS second, 1::bigint AS n
      FROM @extschema@.jibit_queue
      WHERE finished_at IS NULL AND is_local
      UNION ALL
      SELECT submitter, profile, inquiry, state, second, n
      FROM @extschema@.jibit_counts) s
    WHERE submitter = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
       OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
    GROUP BY profile, inquiry
    HAVING bool_or(state IN ('queued', 'running')) OR sum(n) > 0) q
  LEFT JOIN LATERAL (
    SELECT paused_until, code, message
    FROM @extschema@.jibit_pauses p
    WHERE p.profile = q.profile AND p.inquiry IN ('', q.inquiry)
    ORDER BY paused_until DESC
    LIMIT 1) p ON true;
COMMENT ON VIEW @extschema@.jibit_progress IS
  'how far one''s requests are (pg_read_all_stats: everyone''s): counts by state, requests finished a second in the last minute, time left at that rate, and what is paused, until when, and why';

CREATE FUNCTION @extschema@.jibit_submit(
  inquiry text,
  arguments jsonb,
  profile text DEFAULT NULL,
  run_after timestamptz DEFAULT now(),
  priority int DEFAULT 0
)
RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100
AS 'MODULE_PATHNAME', 'jibit_submit';
COMMENT ON FUNCTION @extschema@.jibit_submit(text, jsonb, text, timestamptz, int) IS
  'queues an inquiry and returns its id; a background worker makes it after the commit. Raises 22023 for an unknown inquiry, argument names that are not its or a priority beyond 100, JB011 for an unknown profile, 42501';

CREATE FUNCTION @extschema@.jibit_submit_batch(inquiry text, arguments jsonb[])
RETURNS SETOF bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
AS 'MODULE_PATHNAME', 'jibit_submit_batch';
COMMENT ON FUNCTION @extschema@.jibit_submit_batch(text, jsonb[]) IS
  'queues an inquiry for each element, in order, and returns their ids. Raises what jibit_submit() raises';

CREATE FUNCTION @extschema@.jibit_collect(id bigint, wait interval DEFAULT '0')
RETURNS @extschema@.jibit_requests
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100
AS 'MODULE_PATHNAME', 'jibit_collect';
COMMENT ON FUNCTION @extschema@.jibit_collect(bigint, interval) IS
  'the row of jibit_requests, once it has finished or the time is over; NULL for one that is not one''s own. Raises 55000 for a request of the same transaction';

CREATE FUNCTION @extschema@.jibit_cancel(id bigint)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100
AS 'MODULE_PATHNAME', 'jibit_cancel';
COMMENT ON FUNCTION @extschema@.jibit_cancel(bigint) IS
  'takes back one''s own request; false if it runs already, has finished, or is not one''s own';

CREATE FUNCTION @extschema@.jibit_resume(profile text DEFAULT NULL, inquiry text DEFAULT NULL)
RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100
AS 'MODULE_PATHNAME', 'jibit_resume';
COMMENT ON FUNCTION @extschema@.jibit_resume(text, text) IS
  'ends pauses of the background worker, of a profile and of an inquiry (NULL: of any), at the commit; returns how many. Raises 22023 for an unknown inquiry';

CREATE FUNCTION @extschema@.jibit_queue_inquiry()
RETURNS trigger
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'jibit_queue_inquiry';
COMMENT ON FUNCTION @extschema@.jibit_queue_inquiry() IS
  'AFTER INSERT OR UPDATE row trigger (''inquiry'', ''argument=column'', ...): queues an inquiry about the row. A NULL in a required argument, or an UPDATE that leaves the columns as they are, queues nothing';

--
-- Rights.
--

-- The schema's name may be another one by the time that these are called.
CREATE FUNCTION @extschema@.jibit_inquiry_functions(inquiries text[])
RETURNS SETOF regprocedure
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  inquiry text;
  known text[];
BEGIN
  EXECUTE format('SELECT array_agg(inquiry) FROM %I.jibit_inquiries', (
    SELECT n.nspname
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'jibit')) INTO known;
  FOREACH inquiry IN ARRAY coalesce(inquiries, known) LOOP
    IF inquiry IS NULL OR inquiry <> ALL (known) THEN
      RAISE EXCEPTION 'unknown inquiry "%"', coalesce(inquiry, 'NULL')
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'The view jibit_inquiries lists them.';
    END IF;
  END LOOP;
  RETURN QUERY
    SELECT p.oid::regprocedure
    FROM pg_proc p
    JOIN pg_depend d
      ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
         AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'jibit'
    WHERE p.proname::text = ANY (
      SELECT 'jibit_' || i.name || s.suffix
      FROM unnest(coalesce(inquiries, known)) i (name),
           (VALUES (''), ('_batch')) s (suffix));
END
$$;
COMMENT ON FUNCTION @extschema@.jibit_inquiry_functions(text[]) IS
  'the functions of some inquiries (NULL: all), in all their forms';

CREATE FUNCTION @extschema@.jibit_grant(role regrole, inquiries text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f regprocedure;
  schema name := (
    SELECT n.nspname
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'jibit');
BEGIN
  IF role IS NULL THEN
    RAISE EXCEPTION 'role must not be NULL'
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  FOR f IN EXECUTE format('SELECT %I.jibit_inquiry_functions($1)', schema) USING inquiries LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f, role);
  END LOOP;
  EXECUTE format('GRANT EXECUTE ON FUNCTION %1$I.jibit_last_call(), %1$I.jibit_check_iban(), %1$I.jibit_check_card(), %1$I.jibit_check_shahkar(), %1$I.jibit_submit(text, jsonb, text, timestamptz, int), %1$I.jibit_submit_batch(text, jsonb[]), %1$I.jibit_collect(bigint, interval), %1$I.jibit_cancel(bigint), %1$I.jibit_queue_inquiry() TO %2$s', schema, role);
  EXECUTE format('GRANT SELECT ON %1$I.jibit_requests, %1$I.jibit_progress TO %2$s', schema, role);
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', schema, role);
END
$$;
COMMENT ON FUNCTION @extschema@.jibit_grant(regrole, text[]) IS
  'lets a role make some inquiries (NULL: all), in all their forms, put the triggers on tables, and queue; not jibit_request() and not the administration';

CREATE FUNCTION @extschema@.jibit_revoke(role regrole, inquiries text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f regprocedure;
  schema name := (
    SELECT n.nspname
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'jibit');
BEGIN
  IF role IS NULL THEN
    RAISE EXCEPTION 'role must not be NULL'
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  FOR f IN EXECUTE format('SELECT %I.jibit_inquiry_functions($1)', schema) USING inquiries LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM %s', f, role);
  END LOOP;
  IF inquiries IS NULL THEN
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %1$I.jibit_last_call(), %1$I.jibit_check_iban(), %1$I.jibit_check_card(), %1$I.jibit_check_shahkar(), %1$I.jibit_submit(text, jsonb, text, timestamptz, int), %1$I.jibit_submit_batch(text, jsonb[]), %1$I.jibit_collect(bigint, interval), %1$I.jibit_cancel(bigint), %1$I.jibit_queue_inquiry() FROM %2$s', schema, role);
    EXECUTE format('REVOKE SELECT ON %1$I.jibit_requests, %1$I.jibit_progress FROM %2$s', schema, role);
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM %s', schema, role);
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.jibit_revoke(regrole, text[]) IS
  'takes back what jibit_grant() gives: some inquiries, or (NULL) everything, with USAGE on the extension''s schema, also where that was granted by other means';

-- What ALTER DEFAULT PRIVILEGES has given away is taken back: keys and paid
-- calls are for those to whom they are granted on purpose.
DO $$
DECLARE
  g record;
BEGIN
  FOR g IN
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
             || c.oid::regclass AS object, a.grantee::regrole AS role
    FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    WHERE c.oid IN ('@extschema@.jibit_credentials'::regclass,
                    '@extschema@.jibit_queue'::regclass,
                    '@extschema@.jibit_counts'::regclass,
                    '@extschema@.jibit_pauses'::regclass,
                    '@extschema@.jibit_requests'::regclass,
                    '@extschema@.jibit_progress'::regclass,
                    '@extschema@.jibit_queue_id'::regclass)
      AND a.grantee NOT IN (0, c.relowner)
    UNION
    SELECT 'FUNCTION ' || p.oid::regprocedure, a.grantee::regrole
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'jibit'
    JOIN pg_catalog.pg_proc p ON p.oid = d.objid,
         pg_catalog.aclexplode(p.proacl) a
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass
      AND d.refclassid = 'pg_catalog.pg_extension'::regclass
      AND a.grantee NOT IN (0, p.proowner)
  LOOP
    EXECUTE 'REVOKE ALL ON ' || g.object || ' FROM ' || g.role;
  END LOOP;
END
$$;

-- Whatever calls the API, spends money or administers is for those to whom it
-- is granted.
REVOKE ALL ON FUNCTION @extschema@.jibit_card(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_iban(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_card_to_deposit(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_card_to_iban(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_card_to_iban_availability() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_deposit_to_iban(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_card(text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_card(text, text, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_card_name(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_deposit(text, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_deposit(text, text, text, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_deposit_name(text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_iban(text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_iban(text, text, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_iban_name(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_shahkar(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_postal_address(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_postal_location(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_identity_similarity(text, text, text, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_identity_similarity(text, date, text, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_foreigner(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_corporation(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_military_service(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_sana(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_balances() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_daily_report(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_daily_report(date) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_daily_report() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_card_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_iban_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_card_to_deposit_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_card_to_iban_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_deposit_to_iban_batch(text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_card_batch(text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_card_name_batch(text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_deposit_batch(text[], text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_deposit_name_batch(text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_iban_batch(text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_iban_name_batch(text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_match_shahkar_batch(text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_postal_address_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_postal_location_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_identity_similarity_batch(text[], text[], text[], text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_foreigner_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_corporation_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_military_service_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_sana_batch(text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_daily_report_batch(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_request(text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_last_call() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_check_iban() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_check_card() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_check_shahkar() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_submit(text, jsonb, text, timestamptz, int) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_submit_batch(text, jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_collect(bigint, interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_cancel(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_resume(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_queue_inquiry() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_queue_changed() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_set_credentials(text, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_credentials_trigger() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_forget_tokens() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_token_status_list() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_check() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_stats_list() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_stats_reset() FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_cache_clear(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_inquiry_functions(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_grant(regrole, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.jibit_revoke(regrole, text[]) FROM PUBLIC;

-- What knows no secret and costs nothing is open to all, also where ALTER
-- DEFAULT PRIVILEGES keeps functions and types from PUBLIC.
GRANT EXECUTE ON FUNCTION @extschema@.jibit_match_to_boolean(@extschema@.jibit_match) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_valid_iban(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_valid_card(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_valid_national_code(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_valid_company_id(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_valid_mobile(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_valid_postal_code(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_normalize_iban(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_normalize_card(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_normalize_national_code(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_normalize_company_id(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_normalize_mobile(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_normalize_postal_code(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_normalize_name(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_format_iban(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_mask_card(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_iban_bank(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_card_bank(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_to_jalali(date) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_from_jalali(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_bank_list() TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_error_code_list() TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_inquiry_list() TO PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_called_ids() TO PUBLIC;
GRANT USAGE ON TYPE
  @extschema@.jibit_error,
  @extschema@.jibit_owner,
  @extschema@.jibit_identification_document,
  @extschema@.jibit_card_info,
  @extschema@.jibit_iban_info,
  @extschema@.jibit_card_deposit,
  @extschema@.jibit_card_iban,
  @extschema@.jibit_bank_availability,
  @extschema@.jibit_deposit_iban,
  @extschema@.jibit_match,
  @extschema@.jibit_address,
  @extschema@.jibit_location,
  @extschema@.jibit_similarity,
  @extschema@.jibit_foreigner_info,
  @extschema@.jibit_corporation_info,
  @extschema@.jibit_military_service_info,
  @extschema@.jibit_sana_info,
  @extschema@.jibit_balance,
  @extschema@.jibit_service_usage,
  @extschema@.jibit_iban_text,
  @extschema@.jibit_card_text,
  @extschema@.jibit_national_code_text,
  @extschema@.jibit_mobile_text
  TO PUBLIC;
GRANT SELECT ON @extschema@.jibit_error_codes TO PUBLIC;
GRANT SELECT ON @extschema@.jibit_inquiries TO PUBLIC;
GRANT SELECT ON @extschema@.jibit_token_status TO pg_monitor;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_token_status_list() TO pg_monitor;
GRANT SELECT ON @extschema@.jibit_stats TO pg_monitor;
GRANT EXECUTE ON FUNCTION @extschema@.jibit_stats_list() TO pg_monitor;
GRANT SELECT ON @extschema@.jibit_progress, @extschema@.jibit_pauses TO pg_monitor;
