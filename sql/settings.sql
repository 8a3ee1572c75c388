--
-- Configuration parameters: defaults, who may set them, and what no parameter
-- can be.
--
\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url') \gset
\pset null '(null)'

SELECT name, context, vartype, unit, boot_val, min_val, max_val, enumvals
FROM pg_settings
WHERE name LIKE 'jibit.%' AND name IN ('jibit.allow_http', 'jibit.ca_file', 'jibit.connect_timeout', 'jibit.credentials_table',
  'jibit.max_retries', 'jibit.on_error', 'jibit.profile', 'jibit.proxy', 'jibit.source_address', 'jibit.timeout', 'jibit.track_id', 'jibit.validate')
ORDER BY name;
-- Each explains itself.
SELECT name FROM pg_settings WHERE name LIKE 'jibit.%' AND (short_desc = '' OR short_desc !~ '\.$' OR extra_desc ~ '[^.]$');
-- The server reads names with exactly one dot.
SELECT name FROM pg_settings WHERE name LIKE 'jibit%' AND name !~ '^jibit\.[a-z_]+$';
-- A name that is misspelt is an error.
SELECT state FROM expect_error('SET jibit.timeuot = 1');

--
-- Values that make no sense.
--
SELECT setting, state FROM (VALUES
  ('jibit.timeout = 0'), ('jibit.timeout = -1'), ('jibit.timeout = ''2h'''), ('jibit.timeout = ''soon'''), ('jibit.timeout = ''30GB'''),
  ('jibit.connect_timeout = 0'), ('jibit.max_retries = -1'), ('jibit.max_retries = 11'), ('jibit.validate = perhaps'),
  ('jibit.on_error = ignore'), ('jibit.profile = '''''), (format('jibit.profile = %L', repeat('p', 64))),
  ('jibit.allow_http = 2'),
  ('jibit.source_address = ''localhost'''), ('jibit.source_address = ''eth0'''), ('jibit.source_address = ''1.2.3'''),
  ('jibit.source_address = ''host!127.0.0.1'''), ('jibit.source_address = ''::g'''),
  ('jibit.proxy = ''http://a b'''), ('jibit.proxy = ''ftp://a'''), ('jibit.proxy = ''socks://a'''), ('jibit.proxy = ''://a'''), (E'jibit.proxy = ''http://a\n'''), (E'jibit.track_id = ''a\nb'''), ('jibit.track_id = ''تست'''),
  ('jibit.track_id = '' blank'''), (format('jibit.track_id = %L', repeat('t', 51))), (E'jibit.track_id = ''a\rX-Other: 1''')
) v (setting), expect_error('SET ' || setting);
SET jibit.track_id = 'ثبت';
SET jibit.profile = '';
SET jibit.source_address = 'localhost';
SET jibit.proxy = 'htp://127.0.0.1';

--
-- Values that do.
--
SET jibit.timeout = '1h';
SHOW jibit.timeout;
SET jibit.timeout = 1500;
SHOW jibit.timeout;
RESET jibit.timeout;
SET jibit.source_address = '127.0.0.1';
SELECT bank FROM jibit_card('6037991234567893');
SET jibit.source_address = '::1';
SELECT state FROM expect_error($$SELECT jibit_card('6104330000000011')$$);
SET jibit.source_address = '192.0.2.1';  -- nobody's
SELECT state FROM expect_error($$SELECT jibit_card('6104330000000011')$$);
RESET jibit.source_address;
-- A track id is any printable text; it is sent as it stands.
SELECT set_config('jibit.track_id', repeat('t', 50), false) = (SELECT track_id FROM jibit_card('6104330000000011')) AS fifty;
SET jibit.track_id = 'Order #7: "A/B"; 100% ~';
SELECT track_id FROM jibit_card('6104330000000029');
SELECT sandbox('requests', '{"last": 1}') #>> '{requests,0,track_id}' AS sent;
SET jibit.track_id = 'regress';
-- A proxy is used, and the environment's are not.
SET jibit.proxy = 'http://127.0.0.1:1';
SELECT state, code FROM expect_error($$SELECT jibit_card('6104330000000011')$$);
SET jibit.proxy = 'SOCKS5h://127.0.0.1:1';
SELECT state, code FROM expect_error($$SELECT jibit_card('6104330000000011')$$);
SET jibit.proxy = '127.0.0.1:1';
SELECT state, code FROM expect_error($$SELECT jibit_card('6104330000000011')$$);
RESET jibit.proxy;
-- For plain HTTP the certificates do not matter; for TLS a file must be there.
SET jibit.ca_file = '/no/such/file';
SELECT bank FROM jibit_card('6104330000000011');
SELECT jibit_set_credentials('k', 's', 'tls', replace(:'base_url', 'http:', 'https:'));
SET jibit.profile = 'tls';
SELECT state, code, detail, hint FROM expect_error($$SELECT jibit_card('6104330000000011')$$) \gx
SELECT item, ok, detail FROM jibit_check() WHERE item = 'TLS verified';
RESET jibit.ca_file;
-- TLS to what speaks none.
SELECT state, code FROM expect_error($$SELECT jibit_card('6104330000000011')$$);
RESET jibit.profile;
-- SET LOCAL, function settings.
BEGIN;
SET LOCAL jibit.profile = 'none';
SELECT state FROM expect_error($$SELECT jibit_card('6104330000000011')$$);
COMMIT;
SELECT bank FROM jibit_card('6104330000000011');

--
-- Who may set what.
--
CREATE ROLE regress_jibit_user;
SET ROLE regress_jibit_user;
SELECT setting, state, message FROM unnest('{credentials_table,ca_file,proxy,source_address,allow_http}'::text[]) setting,
  expect_error(format('SET jibit.%s = %L', setting, CASE setting WHEN 'allow_http' THEN 'on' ELSE '' END));
SELECT state FROM expect_error('SHOW jibit.proxy');  -- it may have a password
SELECT count(*) FROM pg_settings WHERE name = 'jibit.proxy';
SET jibit.timeout = '10s';
SET jibit.connect_timeout = '1s';
SET jibit.max_retries = 1;
SET jibit.profile = 'other';
SET jibit.validate = off;
SET jibit.on_error = 'warning';
SET jibit.track_id = 'mine';
SELECT name, setting FROM pg_settings
WHERE name IN ('jibit.timeout', 'jibit.connect_timeout', 'jibit.max_retries', 'jibit.profile', 'jibit.validate', 'jibit.on_error', 'jibit.track_id')
ORDER BY name;
RESET ROLE;
DROP ROLE regress_jibit_user;
