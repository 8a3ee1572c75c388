--
-- jibit_request(): any other path of the API.
--
\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url') \gset
\pset null '(null)'

-- A service that the extension does not know.
SELECT jibit_request('/v1/sandbox/echo', '{"name": "value"}');
SELECT jibit_request('/v1/sandbox/echo');
SELECT inquiry, http_status, attempts, cached, error FROM jibit_last_call();
-- And one that it does.
SELECT jibit_request('/v1/services/matching', '{"nationalCode": "0123456789", "mobileNumber": "09123456789"}');

-- Whatever the names and values are, they arrive as they are.
SELECT n, jibit_request('/v1/sandbox/echo', query) -> 'query' = query AS same
FROM unnest(ARRAY[
  '{"a": "&", "b": "=", "c": "+", "d": "%", "e": "%20", "f": "#?/:;@", "g": " "}',
  '{"a&b": "1", "c=d": "2", "e f": "3", "%": "4"}',
  '{"نام": "علی رضایی", "emoji": "😀", "quote": "\"''\\"}',
  '{"control": "\u0001\t\r\n\u007f", "joiner": "\u200c"}',
  '{"empty": ""}', '{"-._~": "-._~AZaz09"}']::jsonb[]) WITH ORDINALITY q (query, n);
-- Numbers and booleans as their text, with every digit.
SELECT jibit_request('/v1/sandbox/echo', '{"int": 42, "decimal": 1.50, "negative": -0.5, "large": 123456789012345678901234567890, "exponent": 1e3, "yes": true, "no": false}') -> 'query' AS query;

--
-- What is no path, and no query: never sent.
--
SELECT calls() \gset
SELECT path, state, message, detail FROM unnest(ARRAY[
  '', '/', 'v1/cards', '/v1', '/v1/', '/v2/cards', '/V1/cards', '//v1/cards', '/v1//cards', '/v1/cards/', '/v1/./cards', '/v1/../tokens',
  '/v1/cards/..', '/v1/cards?number=1', '/v1/cards#x', '/v1/ca rds', '/v1/%63ards', '/v1/cards\x', '/v1/کارت', 'https://example.com/v1/x',
  '@example.com/v1/x', E'/v1/cards\n', E'/v1/x\r\nX-Other: 1']) path, expect_error(format('SELECT jibit_request(%L)', path));
SELECT query, state, detail FROM unnest(ARRAY[
  '[]', '["a"]', '"text"', '1', 'null', 'true', '{"a": null}', '{"a": {}}', '{"a": []}', '{"a": "b", "c": {"d": "e"}}', '{"a": ["b"]}'
]::jsonb[]) query, expect_error(format('SELECT jibit_request(''/v1/sandbox/echo'', %L)', query));
SELECT state, detail FROM expect_error(format('SELECT jibit_request(''/v1/sandbox/echo'', %L)', jsonb_build_object('a', repeat('x', 10000))));
SELECT state FROM expect_error(format('SELECT jibit_request(''/v1/%s'')', repeat('x', 10000)));
SELECT jibit_request(NULL) IS NULL AS no_path, jibit_request('/v1/balances', NULL) IS NULL AS no_query;
SELECT calls();
-- These are paths, though the API has nothing there.
SELECT path, state, code, detail FROM unnest(ARRAY['/v1/...', '/v1/a.b_c~d-e/0', '/v1/nothing']) path,
  expect_error(format('SELECT jibit_request(%L)', path));

--
-- The answer: any JSON, kept as it is.
--
SELECT fault('huge-number');
SELECT jibit_request('/v1/balances') #> '{balances,0,amount}' AS amount;
SELECT fault('unknown-fields');
SELECT jibit_request('/v1/services/social/sana', '{"nationalCode": "0123456789", "mobileNumber": "09123456789"}');
SELECT fault('empty-object');
SELECT jibit_request('/v1/balances');
SELECT fault('long-text');
SELECT length(jibit_request('/v1/cards', '{"number": "6037991234567893"}') #>> '{cardInfo,ownerName}');
-- One with nothing but a code and a message is an error, with whatever status.
SELECT fault('success-error');
SELECT * FROM expect_error('SELECT jibit_request(''/v1/balances'')') \gx
SELECT fault, state, code
FROM unnest('{card.black_listed,errors-shape,http.502,matching.unknown,not-json,empty-body,redirect,deep,big-body,close}'::text[]) fault,
     expect_error(format('SELECT jibit_request(''/v1/cards'', ''{"number": "%s"}'')', magic('card', fault)));

-- Nothing is kept: each is a call.
SELECT calls() \gset
SELECT count(jibit_request('/v1/balances')) FROM generate_series(1, 3);
SELECT calls();

-- The profile's base URL, its token, and one new token where it is needed.
SELECT sandbox('revoke', '{"refresh": 0}');
SELECT jibit_request('/v1/balances') #> '{balances,0,amount}' AS amount;
SELECT calls();
SET jibit.profile = 'none';
SELECT state FROM expect_error('SELECT jibit_request(''/v1/balances'')');
