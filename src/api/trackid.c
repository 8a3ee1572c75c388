/*-------------------------------------------------------------------------
 *
 * trackid.c
 *	  What identifies a call, here and in the service's own records.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/trackid.h"
#include "config.h"
#include "utils/fmgrprotos.h"

void
jibit_make_track_id(char *track_id)
{
	Datum uuid;

	if (jibit_track_id[0] != '\0')
	{
		strlcpy(track_id, jibit_track_id, JIBIT_TRACK_ID_MAX + 1);
		return;
	}
	/* The function takes no argument; it is given one to be callable. */
	uuid = DirectFunctionCall1(gen_random_uuid, (Datum) 0);
	strlcpy(track_id, DatumGetCString(DirectFunctionCall1(uuid_out, uuid)),
			JIBIT_TRACK_ID_MAX + 1);
}
