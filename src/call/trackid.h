/*
 * What identifies a call, here and in the service's own records.
 */
#ifndef JIBIT_TRACKID_H
#define JIBIT_TRACKID_H

#include "base/limits.h"

/*
 * The id for a new call: jibit.track_id, or a UUID where that is empty.
 * track_id has room for JIBIT_TRACK_ID_MAX bytes and the terminator.
 */
extern void jibit_make_track_id(char *track_id);

#endif /* JIBIT_TRACKID_H */
