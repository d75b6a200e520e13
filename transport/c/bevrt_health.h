/*
 * Reads the payload of bevrt's health message. It says how far the newest output frame can be
 * trusted, and travels under E2E profile 4: 12 bytes of header and these 52.
 *
 * Check the message by bevrt_e2e.h first. Numbers have the meanings of the Rust enums that are
 * named beside them; a number without a meaning is to be taken as the worst.
 */
#ifndef BEVRT_HEALTH_H
#define BEVRT_HEALTH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BEVRT_HEALTH_VERSION 1U
#define BEVRT_HEALTH_BYTES 52U
#define BEVRT_HEALTH_MAX_CAMERAS 16U
#define BEVRT_HEALTH_MAX_SLOTS 8U

typedef int32_t bevrt_health_status_t;
#define BEVRT_HEALTH_STATUS_OK ((bevrt_health_status_t)0)
#define BEVRT_HEALTH_STATUS_NULL ((bevrt_health_status_t)1)
#define BEVRT_HEALTH_STATUS_LENGTH ((bevrt_health_status_t)2)
#define BEVRT_HEALTH_STATUS_VERSION ((bevrt_health_status_t)3)
#define BEVRT_HEALTH_STATUS_COUNT ((bevrt_health_status_t)4)

typedef struct {
    uint64_t sequence;        /* number of the frame */
    int64_t stamp_ns;         /* exposure mid-point of the reference camera */
    uint64_t reason_bits;     /* HealthReasons */
    uint32_t deadline_misses; /* since creation or reset */
    int32_t frame_age_us;     /* caller's clock minus stamp */
    uint8_t state;            /* HealthState: 0 ok, 1 degraded, 2 fault */
    uint8_t ego_motion;       /* EgoMotionState */
    uint8_t reference_camera; /* index of the camera whose stamp is that of the frame */
    uint8_t camera_count;
    uint8_t slot_count;
    uint8_t camera_states[BEVRT_HEALTH_MAX_CAMERAS]; /* CameraState; 0 beyond the count */
    uint8_t slot_states[BEVRT_HEALTH_MAX_SLOTS];     /* SlotState; 0 beyond the count */
} bevrt_health_t;

/* Reads `length` bytes of any alignment. `out` is left untouched unless the status is OK. */
bevrt_health_status_t bevrt_health_read(const uint8_t *payload, uint32_t length,
                                        bevrt_health_t *out);

#ifdef __cplusplus
}
#endif

#endif
