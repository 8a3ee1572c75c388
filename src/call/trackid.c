/*
 * What identifies a call, here and in the service's own records.
 */
#include "postgres.h"

#include "base/config.h"
#include "call/trackid.h"
#include "common/pg_prng.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"

/*
 * A random UUID, version 4.  It must be unique, but need not be hard to guess,
 * which gen_random_uuid() takes two microseconds for.
 */
static void
make_uuid(char *text)
{
	uint64 bits[] = {pg_prng_uint64(&pg_global_prng_state),
					 pg_prng_uint64(&pg_global_prng_state)};
	pg_uuid_t uuid;
	char *out;

	memcpy(uuid.data, bits, UUID_LEN);
	uuid.data[6] = (uuid.data[6] & 0x0f) | 0x40;
	uuid.data[8] = (uuid.data[8] & 0x3f) | 0x80;
	out = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&uuid)));
	strlcpy(text, out, JIBIT_TRACK_ID_MAX + 1);
	pfree(out);
}

void
jibit_make_track_id(char *track_id)
{
	if (jibit_track_id[0] != '\0')
		strlcpy(track_id, jibit_track_id, JIBIT_TRACK_ID_MAX + 1);
	else
		make_uuid(track_id);
}
