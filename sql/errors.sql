--
-- Errors: what each code becomes, what the error says, and what can be done
-- with it.
--
\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url') \gset
\pset null '(null)'

-- All fields of one.
SELECT * FROM expect_error(format('SELECT jibit_card_to_iban(%L)', magic('card', 'card.is_expired'))) \gx
SELECT magic('card', 'card.is_expired') AS expired \gset
SELECT state FROM expect_error(format('SELECT jibit_card(%L)', :'expired'));
SELECT inquiry, profile, track_id, http_status, attempts, cached, (error).* FROM jibit_last_call() \gx

--
-- Every code that is known by name.
--
SELECT code, errcode, condition, retryable FROM jibit_error_codes;
-- Each with an explanation in two languages, which are phrases of their own.
SELECT code FROM jibit_error_codes WHERE description IS NULL OR description !~ '^[[:ascii:]]+[a-zA-Z]$' OR description ~ '\.$';
SELECT code FROM jibit_error_codes
WHERE description_fa IS NULL OR description_fa !~ '^[ آ-ی]' OR description_fa = description OR description_fa ~ '[يك]';
SELECT condition, count(DISTINCT errcode) FROM jibit_error_codes GROUP BY 1 HAVING count(DISTINCT errcode) <> 1;

-- Each as the API's answer to an inquiry, with its SQLSTATE.
CREATE TEMP TABLE faults AS
  SELECT name FROM jsonb_to_recordset(sandbox('faults') -> 'faults') f (name text)
  WHERE (name LIKE '%.%' AND name NOT LIKE 'http.%') OR name IN ('forbidden', 'conflict');
CREATE TEMP TABLE raised AS
  SELECT name, e.* FROM faults, expect_error(format('SELECT jibit_card(%L)', magic('card', name))) e;
SELECT state, count(*), string_agg(name, ' ' ORDER BY name COLLATE "C") FROM raised GROUP BY 1 ORDER BY 1 \g (format=unaligned)
SELECT name, state, code, errcode FROM raised LEFT JOIN jibit_error_codes c USING (code)
WHERE code IS DISTINCT FROM name OR errcode IS DISTINCT FROM state;
SELECT name, hint FROM raised WHERE hint !~ '^[A-Z].*\.$' OR message NOT LIKE 'inquiry "card" failed: % (' || name || ')' OR message ~ '\.$';
SELECT name, detail FROM raised WHERE detail !~ '^The service said: .+\nHTTP status \d+\. Track id regress\.$';
-- Those that the API has for no inquiry of ours.
SELECT code FROM jibit_error_codes WHERE code NOT IN (SELECT name FROM faults);

-- An unauthorised inquiry gets one new token and one more try, never a loop.
SELECT calls() \gset
SELECT state, code FROM expect_error(format('SELECT jibit_card(%L)', magic('card', 'forbidden')));
SELECT calls();

--
-- Answers that name no code that is known.
--
SELECT fault, state, code, split_part(message, ': ', 2) AS message, detail
FROM unnest('{http.500,http.502,http.503,http.504,http.429-long,http.418,unknown-code}'::text[]) fault,
     expect_error(format('SELECT jibit_iban(%L)', magic('iban', fault)));

-- Other shapes, other case, blanks and U+0640, an error that came as a success.
SELECT fault, state, code, detail
FROM unnest('{errors-shape,code-upper,success-error}'::text[]) fault,
     expect_error(format('SELECT jibit_card(%L)', magic('card', fault)));

-- Neither the token nor the whole card number is shown.
SELECT magic('card', 'echo-secret') AS echo_secret \gset
SELECT state, code, regexp_replace(detail, '\*{20,}', '<token>') AS detail
FROM expect_error(format('SELECT jibit_card(%L)', :'echo_secret'));
SELECT position(:'echo_secret' in (error).message) AS card, (error).message ~ 'ey[A-Za-z0-9_-]{10}' AS token, (error).message ~ '\*' AS masked
FROM jibit_last_call();

--
-- Out of reach.
--
SELECT fault, state, code, detail LIKE '%Track id regress.' AS track_id
FROM unnest('{close,reset,cut}'::text[]) fault, expect_error(format('SELECT jibit_card(%L)', magic('card', fault)));
SELECT magic('card', 'hang') AS hang, magic('card', 'drip') AS drip \gset
SET jibit.timeout = '300ms';
SELECT state, code FROM expect_error(format('SELECT jibit_card(%L)', :'hang'));
SELECT state, code FROM expect_error(format('SELECT jibit_card(%L)', :'drip'));
RESET jibit.timeout;
SELECT jibit_set_credentials('key', 'secret', 'nowhere', 'http://127.0.0.1:1');
SET jibit.profile = 'nowhere';
SELECT state, code FROM expect_error('SELECT jibit_card(''6037991234567893'')');
RESET jibit.profile;

-- What may pass by itself is tried again, with the same track id.
SET jibit.max_retries = 2;
SELECT magic('card', 'flaky-2') AS flaky, magic('card', 'close-once') AS broken, magic('card', 'handler.not_found') AS no_handler,
       magic('card', 'http.429-long') AS quota, magic('card', 'server.error') AS failing, magic('card', 'card.not_active') AS refused \gset
SELECT sandbox('reset') \gset
SELECT bank FROM jibit_card(:'flaky');
SELECT http_status, attempts, track_id, error FROM jibit_last_call();
SELECT r.status, r.track_id FROM jsonb_to_recordset(sandbox('requests') -> 'requests') r (status int, track_id text);
SELECT bank FROM jibit_card(:'broken');
-- In the end with the last answer's error.
SELECT jibit_card(:'failing');
SELECT http_status, attempts, (error).retryable FROM jibit_last_call();
-- What will not pass is not.
\set VERBOSITY terse
SELECT jibit_card(:'no_handler');
SELECT http_status, attempts, (error).retryable FROM jibit_last_call();
SELECT jibit_card(:'quota');
SELECT http_status, attempts, (error).retryable FROM jibit_last_call();
SELECT jibit_card(:'refused');
SELECT http_status, attempts, (error).retryable FROM jibit_last_call();
\set VERBOSITY default
SET jibit.max_retries = 0;

--
-- In PL/pgSQL: one by one, or the whole class.
--
DO $$
DECLARE
  fault text;
BEGIN
  FOREACH fault IN ARRAY '{iban.not_found,card.black_listed,server.error,not-json}'::text[] LOOP
    BEGIN
      PERFORM jibit_card(magic('card', fault));
    EXCEPTION
      WHEN SQLSTATE 'JB002' THEN
        RAISE NOTICE 'not found';
      WHEN SQLSTATE 'JB000' THEN
        RAISE NOTICE 'class JB: %', SQLSTATE;
    END;
  END LOOP;
END
$$;
-- A failed inquiry leaves the transaction as any error does.
BEGIN;
SAVEPOINT s;
SELECT jibit_card('6037991234567890');
ROLLBACK TO s;
SELECT bank FROM jibit_card('6037991234567893');
COMMIT;

--
-- jibit.on_error = warning: a verdict becomes NULL, or no rows; an outage is
-- no verdict.
--
SET jibit.on_error = 'warning';
SELECT jibit_card('6037991234567890') IS NULL AS unknown;
SELECT jibit_card(:'refused') IS NULL AS unknown;
\set VERBOSITY terse
SELECT f.bank IS NULL AS unknown FROM jibit_card(:'refused') f;
SELECT fault, jibit_iban(magic('iban', fault)) IS NULL AS unknown
FROM unnest('{iban.not_valid,iban.not_found,iban.black_listed,conversion.failed,card.source_bank_is_not_active}'::text[]) fault;
SELECT 1 WHERE jibit_match_card(:'refused', '0123456789', '13600331');
SELECT fault('invalid.request_body');
SELECT * FROM jibit_balances();
SELECT jibit_daily_report('abc');
SELECT fault('server.error');
SELECT * FROM jibit_balances();
SELECT jibit_request('/v1/cards', '{"number": "6037991234567890"}') IS NULL AS unknown;
-- These raise all the same.
SELECT fault, state
FROM unnest('{daily_limit.reached,balance.not_enough,forbidden,invalid.credentials,conflict,providers.not_available,http.502,close,not-json,http.418}'::text[]) fault,
     expect_error(format('SELECT jibit_iban(%L)', magic('iban', fault)));
\set VERBOSITY default
RESET jibit.on_error;
