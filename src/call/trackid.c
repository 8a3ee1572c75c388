/*-------------------------------------------------------------------------
 *
 * trackid.c
 *	  What identifies a call, here and in the service's own records.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/config.h"
#include "call/trackid.h"
#include "utils/uuid.h"

/* UUIDs for which random bytes are drawn at a time: two kilobytes. */
#define UUIDS_DRAWN 128

/*
 * A random UUID, version 4.  Random bytes are drawn for many at a time, since
 * each draw is a call into the kernel.  They are drawn after the fork only: no
 * two processes have the same ones.
 */
static void
make_uuid(char *text)
{
	static const char digits[] = "0123456789abcdef";
	static uint8 drawn[UUIDS_DRAWN * UUID_LEN];
	static int left = 0;
	uint8 *uuid;

	if (left == 0)
	{
		if (!pg_strong_random(drawn, sizeof(drawn)))
			ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
							errmsg("could not generate random values")));
		left = UUIDS_DRAWN;
	}
	uuid = &drawn[--left * UUID_LEN];
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digits[uuid[i] >> 4];
		*text++ = digits[uuid[i] & 0x0f];
	}
	*text = '\0';
	memset(uuid, 0, UUID_LEN);
}

void
jibit_make_track_id(char *track_id)
{
	if (jibit_track_id[0] != '\0')
		strlcpy(track_id, jibit_track_id, JIBIT_TRACK_ID_MAX + 1);
	else
		make_uuid(track_id);
}
