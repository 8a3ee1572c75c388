--
-- Many at once: order, errors, NULLs, equal elements.
--

\getenv base_url JIBIT_SANDBOX_URL
SELECT use_sandbox(:'base_url');
SELECT magic('card', 'card.not_active') AS refused, magic('card', 'http.502') AS failing \gset

-- A row for each element, in order, with its result or its error.
SELECT ordinality, (result).iban, (error).code, (error).errcode, (error).http_status, (error).retryable, (error).track_id
FROM jibit_card_to_iban_batch(ARRAY['6037991234567893', NULL, '1', :'refused', '6104331234567890', :'failing', '']);

-- Equal elements cost one call, also when they fail or are written otherwise;
-- what is wrong costs none.
SELECT calls();
SELECT ordinality, (result).iban, (error).code
FROM jibit_card_to_iban_batch(ARRAY['6037991234567893', :'refused', '6037-9912-3456-7893', U&'\06F6\06F0\06F3\06F7\06F9\06F9\06F1\06F2\06F3\06F4\06F5\06F6\06F7\06F8\06F9\06F3', '1', :'refused', '1']);
SELECT calls();

-- Every inquiry with arguments has one; optional arguments may be left out,
-- as a whole or for one element.
SELECT ordinality, (result).matched, (error).code FROM jibit_match_shahkar_batch('{0123456789,0123456789}', '{09123456789,09123456788}');
SELECT ordinality, (result).matched FROM jibit_match_deposit_batch('{MELLI}', '{1}', '{0123456789}', '{13600330}');
SELECT ordinality, (result).first_name_similarity_percentage IS NULL AS first, (result).last_name_similarity_percentage IS NULL AS last, (error).code
FROM jibit_identity_similarity_batch('{0123456789,0123456789,0123456789}', '{13600331,13600331,13600331}',
                                     first_names => '{a,NULL,NULL}', last_names => '{NULL,b,NULL}');
SELECT ordinality, r.service, r.count
FROM jibit_daily_report_batch('{14030102,14030102}'), unnest(result) r WHERE r.service LIKE 'sandbox%' ORDER BY 1, 2;
SELECT count(*) AS without_batch FROM jibit_inquiries i
WHERE cardinality(arguments) > 0 AND NOT EXISTS (
  SELECT FROM functions f WHERE f.proname = 'jibit_' || i.inquiry || '_batch'
    AND f.argument_names = (SELECT array_agg(a || 's' ORDER BY n) FROM unnest(i.arguments) WITH ORDINALITY x (a, n))
    AND pg_get_function_result(f.oid) LIKE 'TABLE(ordinality bigint, result %, error jibit_error)');

-- No elements, no array, arrays that do not fit.
SELECT count(*) FROM jibit_card_batch('{}');
SELECT count(*) FROM jibit_card_batch(NULL);
SELECT count(*) FROM jibit_match_shahkar_batch('{0123456789}', NULL);
SELECT state, message, detail FROM expect_error($$SELECT jibit_match_shahkar_batch('{0123456789}', '{}')$$);
SELECT state, message FROM expect_error($$SELECT jibit_card_batch('{{1,2},{3,4}}')$$);

-- What concerns every element ends the statement.
SELECT fault('forbidden', 2);
SELECT state, code FROM expect_error($$SELECT count(*) FROM jibit_card_batch('{6037991234567893}')$$);
SELECT fault('');
SET jibit.profile = 'nobody';
SELECT state, message FROM expect_error($$SELECT count(*) FROM jibit_card_batch('{6037991234567893}')$$);
RESET jibit.profile;

-- on_error is not for batches.
SET jibit.on_error = 'warning';
SELECT ordinality, (error).code FROM jibit_card_batch(ARRAY[:'refused']);
RESET jibit.on_error;

-- More elements than are under way at a time, in order all the same.
SET jibit.batch_concurrency = 3;
SELECT calls();
SELECT count(*), bool_and((result).postal_code = lpad((1000000000 + ordinality)::text, 10, '0')) AS in_order
FROM jibit_postal_address_batch((SELECT array_agg((1000000000 + i)::text ORDER BY i) FROM generate_series(1, 100) i));
SELECT calls();
SELECT sandbox('stats') ->> 'max_concurrent' <= '3' AS few_at_a_time;
RESET jibit.batch_concurrency;
