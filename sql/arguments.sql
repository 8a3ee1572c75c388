--
-- Arguments: how they are normalised before they are sent, and what is so
-- plainly wrong that no call is made.
--
\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url') \gset
\pset null '(null)'

-- The statement that asks.
CREATE FUNCTION ask(inquiry text, VARIADIC arguments text[]) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT * FROM %I(%s)', 'jibit_' || inquiry,
                (SELECT string_agg(quote_nullable(a), ', ' ORDER BY n) FROM unnest(arguments) WITH ORDINALITY u (a, n)));
$$;
-- What the service receives of it; NULL when nothing is sent.
CREATE FUNCTION sends(statement text) RETURNS jsonb LANGUAGE plpgsql SET jibit.track_id = '' AS $$
DECLARE
  id text := gen_random_uuid();
  request jsonb;
BEGIN
  PERFORM set_config('jibit.track_id', id, true);
  BEGIN
    EXECUTE statement;
  EXCEPTION WHEN SQLSTATE 'JB000' THEN
    NULL;
  END;
  request := sandbox('requests', '{"last": 1}') #> '{requests,0}';
  RETURN CASE WHEN request ->> 'track_id' = id THEN request -> 'query' END;
END
$$;

--
-- Digits, blanks, dashes and marks. The same card in many ways:
--
SELECT form, sends(ask('card', card)) = '{"number": "6037991234567893"}' AS same
FROM (VALUES
  ('plain', '6037991234567893'),
  ('Persian digits', '۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳'),
  ('Arabic digits', '٦٠٣٧٩٩١٢٣٤٥٦٧٨٩٣'),
  ('all three', '6037۹۹۱۲٣٤٥٦7893'),
  ('blanks', '  6037 9912 3456 7893 '),
  ('tab and line end', E'\t6037991234567893\r\n'),
  ('no-break space', E'6037\u00a09912\u202f3456\u00a07893'),
  ('dashes', '6037-9912-3456-7893'),
  ('other dashes', E'6037\u20109912\u20133456\u22127893'),
  ('parentheses', '(6037) 9912 (3456) 7893'),
  ('zero-width', E'6037\u200c9912\u200d3456\u200b7893'),
  ('directional', E'\u200f\u202a6037991234567893\u202c\u200e\u2066\u2069\u061c'),
  ('byte order mark', E'\ufeff6037991234567893')
) v (form, card);

SELECT iban, sends(ask('iban', iban)) AS sent
FROM (VALUES ('IR050170000000123456789012'), ('ir050170000000123456789012'), ('050170000000123456789012'),
             ('IR05 0170 0000 0012 3456 7890 12'), ('Ir05-0170-0000-0012-3456-7890-12'),
             ('IR۰۵۰۱۷۰۰۰۰۰۰۰۱۲۳۴۵۶۷۸۹۰۱۲'), ('۰۵۰۱۷۰۰۰۰۰۰۰۱۲۳۴۵۶۷۸۹۰۱۲')) v (iban);
SELECT mobile, sends(ask('match_shahkar', '0123456789', mobile)) ->> 'mobileNumber' AS sent
FROM (VALUES ('09123456789'), ('+989123456789'), ('00989123456789'), ('989123456789'), ('9123456789'),
             ('+98 912 345-6789'), ('(0912) 345 67 89'), ('۰۹۱۲۳۴۵۶۷۸۹'), ('٠٩١٢٣٤٥٦٧٨٩'), ('+۹۸۹۱۲۳۴۵۶۷۸۹'),
             ('09993456789')) v (mobile);
SELECT code, sends(ask('military_service', code)) ->> 'nationalCode' AS sent
FROM (VALUES ('0123456789'), ('۰۱۲۳۴۵۶۷۸۹'), ('012-345678-9'), (' 0123456789 '), ('1111111111')) v (code);
SELECT code, sends(ask('postal_address', code)) AS postal, sends(ask('corporation', code)) AS corporation, sends(ask('foreigner', code)) AS fida
FROM (VALUES ('1234567890'), ('12345-67890'), ('۱۲۳۴۵۶۷۸۹۰')) v (code);
SELECT sends(ask('foreigner', '7')) AS shortest, sends(ask('foreigner', '12345678901234567890')) AS longest;
SELECT born, sends(ask('match_card', '6037991234567893', '0123456789', born)) ->> 'birthDate' AS sent
FROM (VALUES ('13600331'), ('1360/03/31'), ('1360-03-31'), ('1360/3/31'), ('۱۳۶۰/۰۳/۳۱'), ('١٣٦٠٠٣٣١'), (' 13600331 '),
             ('12000101'), ('13991230')) v (born);
SELECT day, sends(ask('daily_report', day)) AS sent
FROM (VALUES ('14000708'), ('000708'), ('1400/07/08'), ('00/07/08'), ('1400-7-8'), ('۰۰۰۷۰۸'), ('991230')) v (day);

--
-- Banks are upper-cased; the list of them is open. A deposit number is the
-- bank's business: only its digits change, and blanks around it go.
--
SELECT bank, sends(ask('deposit_to_iban', bank, '1')) ->> 'bank' AS sent
FROM (VALUES ('MELLI'), ('melli'), (' Sanat_va_Madan '), ('BANK_THAT_IS_YET_TO_COME_7')) v (bank);
SELECT number, sends(ask('deposit_to_iban', 'MELLI', number)) ->> 'number' AS sent
FROM (VALUES ('0203443585001'), ('0203-443.585/1'), ('  020 344  '), ('۰۲۰۳-۴۴۳'), ('٠٢٠٣'), ('abc-12'), ('1+1&2=3%20')) v (number);

--
-- Names go out as they are written, but with the Persian yeh and kaf.
--
SELECT name, sends(ask('match_card_name', '6037991234567893', name)) ->> 'name' AS sent
FROM (VALUES ('علی رضایی'), ('علي رضايي'), ('كيان كريمي'), ('  علی رضایی '), ('O''Neill & Söhne + 100%=?#/\'), ('''; --')) v (name);
SELECT sends(ask('match_iban_name', 'IR050170000000123456789012', E'\u0646\u06cc\u200c\u0646\u0627')) ->> 'name' = E'\u0646\u06cc\u200c\u0646\u0627' AS joiner_kept,
       sends(ask('match_deposit_name', 'MELLI', '1', 'x' || chr(128512))) ->> 'name' = 'x' || chr(128512) AS beyond_the_bmp,
       length(sends(ask('match_card_name', '6037991234567893', repeat('ژ', 200))) ->> 'name') AS long_name;
SELECT sends('SELECT * FROM jibit_identity_similarity(''0123456789'', ''13600331'', full_name => ''علي رضايي'')') AS sent;

--
-- Plainly wrong: the API's own code for it, and no call.
--
SELECT calls() \gset
SELECT * FROM expect_error(ask('card', '6037991234567890')) \gx
SELECT card, state, code FROM (VALUES
  ('6037991234567890'),             -- Luhn
  ('603799123456789'), ('60379912345678930'),  -- lengths
  ('603799123456789x'), ('6037.9912.3456.7893'), (E'6037991234567893\u0001'), ('IR050170000000123456789012')
) v (card), expect_error(ask('card', card));
SELECT iban, state, code FROM (VALUES
  ('IR050170000000123456789013'),   -- mod 97
  ('IR05017000000012345678901'), ('IR0501700000001234567890123'), ('DE89370400440532013000'), ('IRIR0170000000123456789012')
) v (iban), expect_error(ask('iban', iban));
SELECT national_code, state, code FROM (VALUES
  ('0123456780'),                   -- check digit
  ('123456789'), ('01234567890'), ('0000000000'), ('2222222222'), ('01234S6789')
) v (national_code), expect_error(ask('military_service', national_code));
SELECT mobile, state, code FROM (VALUES
  ('0912345678'), ('091234567890'), ('02112345678'), ('+971501234567'), ('+09123456789'), ('0912345678a')
) v (mobile), expect_error(ask('sana', '0123456789', mobile));
SELECT born, state, code, hint LIKE '%date ''%' AS hint_of_date FROM (VALUES
  ('13600332'), ('13601301'), ('13600031'), ('13600700'), ('13600731'), ('14001230'),  -- impossible
  ('11991229'), ('15000101'), ('20000101'),                                            -- too early, not yet, both
  ('1981-06-21'), ('19810621'), ('1999/12/31'),                                        -- Gregorian
  ('600331'), ('1360-03/31'), ('31/03/1360'), ('1360'), ('yesterday'), ('13600331 12:00')
) v (born), expect_error(ask('match_card', '6037991234567893', '0123456789', born));
SELECT born, state, code FROM (VALUES
  (date '1821-03-20'), ('0044-03-15 BC'), ('infinity'), ('-infinity'), ('5874897-12-31'), ('3000-01-01')
) v (born), expect_error(format('SELECT jibit_match_card(''6037991234567893'', ''0123456789'', %L::date)', born));
-- Today, in Tehran, one can be born; the day after tomorrow one cannot.
SELECT state, code FROM expect_error($$SELECT jibit_match_card('6037991234567893', '0123456789', (now() AT TIME ZONE interval '3:30')::date + 2)$$);
SELECT sends($$SELECT jibit_match_card('6037991234567893', '0123456789', (now() AT TIME ZONE interval '3:30')::date)$$) IS NOT NULL AS sent;
SELECT calls();
SELECT day, state, code FROM (VALUES ('14000732'), ('001301'), ('13000101'), ('2021-09-30'), ('today'), ('1400')
) v (day), expect_error(ask('daily_report', day));
SELECT state, code FROM expect_error('SELECT jibit_daily_report(date ''2100-01-01'')');
SELECT bank, state, code FROM (VALUES ('Bank Melli'), ('ملی'), ('MELLI;'), ('')
) v (bank), expect_error(ask('deposit_to_iban', bank, '1'));
SELECT argument, p.code AS postal, c.code AS corporation, f.code AS fida
FROM (VALUES ('123456789'), ('12345678901'), ('123456789a'), ('123456789012345678901')) v (argument),
     expect_error(ask('postal_location', argument)) p, expect_error(ask('corporation', argument)) c, expect_error(ask('foreigner', argument)) f;
-- What no line of a request has room for; and control characters.
SELECT b.code AS bank, d.code AS deposit, n.code AS name, c.code AS control
FROM expect_error(ask('deposit_to_iban', repeat('A', 1000), '1')) b,
     expect_error(ask('deposit_to_iban', 'MELLI', repeat('1', 1000))) d,
     expect_error(ask('match_card_name', '6037991234567893', repeat('x', 1000000))) n,
     expect_error(ask('match_card_name', '6037991234567893', E'a\nb')) c;

-- Nothing is given: of every kind.
SELECT inquiry, state, code FROM (VALUES
  ('card', '{""}'::text[]), ('iban', '{ - }'), ('military_service', '{""}'), ('match_shahkar', '{0123456789,""}'),
  ('match_card', '{6037991234567893,0123456789,"  "}'), ('deposit_to_iban', '{"",1}'), ('deposit_to_iban', '{MELLI," "}'),
  ('match_card_name', '{6037991234567893,""}'), ('postal_address', '{()}'), ('foreigner', '{""}'), ('corporation', '{""}'),
  ('daily_report', '{""}'), ('identity_similarity', '{0123456789,13600331,""}')
) v (inquiry, arguments), expect_error(ask(inquiry, VARIADIC arguments));
SELECT state, code FROM expect_error(ask('card', E'\u200c\u200f'));
-- The similarity inquiry without a name.
SELECT state, code, hint FROM expect_error(ask('identity_similarity', '0123456789', '13600331')) \gx

-- Arguments that look swapped.
SELECT inquiry, code, hint FROM (VALUES
  ('match_shahkar', '{09123456789,0123456789}'::text[]), ('match_card_name', '{علی رضایی,6037991234567893}'),
  ('match_iban', '{0123456789,IR050170000000123456789012,13600331}'), ('match_card', '{6037991234567893,13600331,0123456789}'),
  ('match_card_name', '{علی رضایی,علی رضایی}'), ('deposit_to_iban', '{0100324200001,MELLI}'),
  ('match_deposit', '{۰۱۰۰,mellat,0123456789,13600331}'), ('match_deposit_name', '{MELLI,علی رضایی,0100324200001}')
) v (inquiry, arguments), expect_error(ask(inquiry, VARIADIC arguments));

-- None of this has cost a call, nor does the session remember one.
SELECT calls();
SELECT state FROM expect_error(ask('card', '6037991234567890'));
SELECT inquiry, track_id, http_status, attempts, (error).code, (error).errcode, (error).retryable, (error).track_id IS NULL AS no_call
FROM jibit_last_call();

--
-- With jibit.validate off the API decides.
--
SET jibit.validate = off;
SELECT state, code, detail FROM expect_error(ask('card', '۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۰'));
SELECT sent();
SELECT inquiry, sends(ask(inquiry, VARIADIC arguments)) AS sent FROM (VALUES
  ('iban', '{DE89370400440532013000}'::text[]), ('military_service', '{ 123456789 }'), ('sana', '{0123456780,02112345678}'),
  ('match_card', '{6037991234567893,0123456789,15000101}'), ('deposit_to_iban', '{ملی,1}'), ('postal_address', '{123}'),
  ('identity_similarity', '{0123456789,13600331}'), ('daily_report', '{tomorrow}'), ('foreigner', '{""}')
) v (inquiry, arguments);
-- What is right is normalised all the same.
SELECT sends(ask('card', '6037-9912-3456-7893')) AS sent;
-- But there are limits to what can be sent.
SELECT state, code FROM expect_error(ask('card', repeat('1', 1000000)));
RESET jibit.validate;

DROP FUNCTION ask, sends;
