--
-- Without a call: validators, normalisers, banks, the calendar, domains.
--

\encoding UTF8
-- Valid is what normalises; digits of any script, blanks, dashes, marks.
SELECT v, jibit_valid_iban(v), jibit_normalize_iban(v), jibit_format_iban(v), jibit_iban_bank(v)
FROM unnest(ARRAY['IR270170000000100324200001', 'ir27 0170 0000 0010 0324 2000 01', '270170000000100324200001',
                  U&'\06F2\06F7\06F0\06F1\06F7\06F0\06F0\06F0\06F0\06F0\06F0\06F0\06F1\06F0\06F0\06F3\06F2\06F4\06F2\06F0\06F0\06F0\06F0\06F1',
                  'IR270170000000100324200002', 'IR27017000000010032420000', 'DE270170000000100324200001', '']) v;
SELECT v, jibit_valid_card(v), jibit_normalize_card(v), jibit_mask_card(v), jibit_card_bank(v)
FROM unnest(ARRAY['6037997551234561', '6037-9975-5123-4561', U&'6037\00A09975\00A051234561', '6037997551234562', '603799755123456', 'x']) v;
SELECT v, jibit_valid_national_code(v), jibit_normalize_national_code(v)
FROM unnest('{0084575948,008-457594-8,84575948,0084575949,1111111111,2222222222,0000000000}'::text[]) v;
SELECT v, jibit_valid_company_id(v), jibit_normalize_company_id(v) FROM unnest('{10380284790,1038-0284790,10380284791}'::text[]) v;
SELECT v, jibit_valid_mobile(v), jibit_normalize_mobile(v)
FROM unnest('{09123456789,+989123456789,00989123456789,989123456789,9123456789,0912345678,08123456789,"(0912) 345-6789"}'::text[]) v;
SELECT v, jibit_valid_postal_code(v), jibit_normalize_postal_code(v) FROM unnest('{1234567890,12345-67890,123456789}'::text[]) v;
SELECT jibit_normalize_name(U&' \0639\0644\064A \0643\0631\064A\0645\064A ') = U&'\0639\0644\06CC \06A9\0631\06CC\0645\06CC' AS persian, jibit_normalize_name('  ') IS NULL AS empty;
SELECT jibit_valid_iban(NULL) IS NULL AS strict;

-- Every bank of the table: an IBAN and a card made of each code and prefix.
CREATE FUNCTION make_iban(bban text) RETURNS text LANGUAGE sql AS $$
  SELECT 'IR' || lpad((98 - (bban || '182700')::numeric % 97)::text, 2, '0') || bban
$$;
CREATE FUNCTION make_card(digits text) RETURNS text LANGUAGE sql AS $$
  SELECT digits || ((10 - sum(CASE WHEN i % 2 = 0 THEN d WHEN d > 4 THEN d * 2 - 9 ELSE d * 2 END) % 10) % 10)::text
  FROM (SELECT i, substr(digits, i, 1)::int AS d FROM generate_series(1, 15) i) x
$$;
SELECT count(*) AS codes, count(*) FILTER (WHERE jibit_iban_bank(make_iban(code || lpad('12345', 19, '0'))) = id) AS found
FROM jibit_banks, unnest(iban_codes) code;
SELECT count(*) AS prefixes, count(*) FILTER (WHERE jibit_card_bank(make_card(rpad(prefix, 15, '4'))) = id) AS found
FROM jibit_banks, unnest(card_prefixes) prefix;
SELECT count(*) AS banks, count(name_fa) AS named, count(website) AS websites, array_agg(id) FILTER (WHERE merged_from <> '{}') AS merged FROM jibit_banks;
SELECT jibit_iban_bank(make_iban('999' || repeat('0', 19))) IS NULL AS unknown_bank;

-- The view is the file of the banks, row by row.
\set file `cat "$PG_ABS_SRCDIR/test/data/banks.csv"`
CREATE TABLE bank_file AS
  SELECT f[1] AS id, f[2] AS name, f[3] AS name_fa, nullif(f[7], '') AS website, string_to_array(f[4], ' ') AS iban_codes,
         string_to_array(f[5], ' ') AS card_prefixes, string_to_array(f[6], ' ') AS merged_from
  FROM string_to_table(:'file', E'\n') WITH ORDINALITY l (line, n), string_to_array(rtrim(line, E'\r'), ',') f
  WHERE n > 1 AND line <> '';
SELECT count(*) FROM bank_file;
(TABLE bank_file EXCEPT SELECT id, name, name_fa, website, iban_codes, card_prefixes, merged_from FROM jibit_banks) UNION ALL
(SELECT id, name, name_fa, website, iban_codes, card_prefixes, merged_from FROM jibit_banks EXCEPT TABLE bank_file);
DROP TABLE bank_file;

-- The calendar: every day of the years 1200 to 1500 there and back, in order.
SELECT count(*) AS days, bool_and(jibit_from_jalali(j) = d) AS there_and_back, bool_and(j > before) AS in_order
FROM (SELECT d, jibit_to_jalali(d) AS j, lag(jibit_to_jalali(d), 1, '') OVER (ORDER BY d) AS before
      FROM (SELECT date '1821-03-21' + i AS d FROM generate_series(0, 109937) i) x) y;
-- The length of every year, by the rule that looks at the years in which the
-- cycle of 33 years is broken.
CREATE FUNCTION is_leap_by_breaks(year int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  breaks int[] := '{-61,9,38,199,426,686,756,818,1111,1181,1210,1635,2060}';
  first int := (SELECT max(b) FROM unnest(breaks) b WHERE b <= year);
  length int := (SELECT min(b) FROM unnest(breaks) b WHERE b > year) - first;
  since int := year - first;
BEGIN
  IF length - since < 6 THEN
    since := since - length + (length + 4) / 33 * 33;
  END IF;
  RETURN ((since + 1) % 33 - 1) % 4 = 0;
END
$$;
SELECT count(*) AS years, count(*) FILTER (WHERE is_leap) AS leap_years, bool_and(days = CASE WHEN is_leap THEN 366 ELSE 365 END) AS agree,
       bool_and(is_leap = (j30 IS NOT NULL)) AS last_days_agree
FROM (SELECT lead(first) OVER (ORDER BY y) - first AS days, is_leap_by_breaks(y) AS is_leap, j30
      FROM generate_series(1, 1999) y, lpad(y::text, 4, '0') t, jibit_from_jalali(t || '0101') first,
           LATERAL (SELECT CASE WHEN e.state IS NULL THEN t END AS j30 FROM expect_error(format('SELECT jibit_from_jalali(%L)', t || '1230')) e) x) y
WHERE days IS NOT NULL;
SELECT jibit_from_jalali('00010101'), jibit_from_jalali('20001229');
DROP FUNCTION is_leap_by_breaks(int);
SELECT jibit_to_jalali('1821-03-21'), jibit_to_jalali('2021-03-20'), jibit_to_jalali('2024-03-20'), jibit_to_jalali('2025-03-21'),
       jibit_from_jalali('1360/3/31'), jibit_from_jalali('1360-03-31'), jibit_from_jalali(U&'\06F1\06F3\06F6\06F0\06F0\06F3\06F3\06F1');
SELECT d, state FROM unnest('{13991230,14001230,1400/13/01,00000101,20010101,abc,"",1400/1}'::text[]) d,
  LATERAL expect_error(format('SELECT jibit_from_jalali(%L)', d));
SELECT d, state FROM unnest('{infinity,-infinity,0100-01-01,5000-01-01}'::text[]) d,
  LATERAL expect_error(format('SELECT jibit_to_jalali(%L::date)', d));

-- Domains take the normalised form only, so that equal values compare equal.
CREATE TABLE people (iban jibit_iban_text, card jibit_card_text, code jibit_national_code_text, mobile jibit_mobile_text);
INSERT INTO people VALUES ('IR270170000000100324200001', '6037997551234561', '0084575948', '09123456789'), (NULL, NULL, NULL, NULL);
SELECT state, code, message FROM unnest(ARRAY[
  $$INSERT INTO people (iban) VALUES ('270170000000100324200001')$$, $$INSERT INTO people (card) VALUES ('6037-9975-5123-4561')$$,
  $$INSERT INTO people (code) VALUES ('0084575949')$$, $$INSERT INTO people (mobile) VALUES ('+989123456789')$$]) s, expect_error(s);
CREATE INDEX ON people (jibit_iban_bank(iban));
ALTER TABLE people ADD bank text GENERATED ALWAYS AS (jibit_card_bank(card)) STORED;
SELECT bank FROM people;
DROP TABLE people;
DROP FUNCTION make_iban(text), make_card(text);
