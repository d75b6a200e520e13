#include "bevrt_health.h"

#include <stddef.h>

/* The little-endian number of `count` bytes, 8 at most. */
static uint64_t read_number(const uint8_t *bytes, uint32_t count)
{
    uint64_t number = 0U;
    for (uint32_t index = 0U; index < count; index++) {
        number |= (uint64_t)bytes[index] << (8U * index);
    }
    return number;
}

/* The number whose two's complement this is, without a conversion that the compiler may choose. */
static int64_t as_signed(uint64_t bits, uint64_t sign)
{
    return ((bits & sign) == 0U) ? (int64_t)bits : (-(int64_t)(sign - 1U - (bits & (sign - 1U))) - 1);
}

/* Four bits each; the even ones in the low half. */
static void read_states(const uint8_t *packed, uint32_t count, uint32_t capacity, uint8_t *out)
{
    for (uint32_t index = 0U; index < capacity; index++) {
        const uint32_t shift = 4U * (index & 1U);
        const uint32_t state = ((uint32_t)packed[index / 2U] >> shift) & 0x0FU;
        out[index] = (uint8_t)((index < count) ? state : 0U);
    }
}

bevrt_health_status_t bevrt_health_read(const uint8_t *payload, uint32_t length,
                                        bevrt_health_t *out)
{
    if ((payload == NULL) || (out == NULL)) {
        return BEVRT_HEALTH_STATUS_NULL;
    }
    if (length != BEVRT_HEALTH_BYTES) {
        return BEVRT_HEALTH_STATUS_LENGTH;
    }
    if (payload[0] != BEVRT_HEALTH_VERSION) {
        return BEVRT_HEALTH_STATUS_VERSION;
    }
    if ((payload[4] > BEVRT_HEALTH_MAX_CAMERAS) || (payload[5] > BEVRT_HEALTH_MAX_SLOTS)) {
        return BEVRT_HEALTH_STATUS_COUNT;
    }
    out->state = payload[1];
    out->ego_motion = payload[2];
    out->reference_camera = payload[3];
    out->camera_count = payload[4];
    out->slot_count = payload[5];
    out->sequence = read_number(&payload[8], 8U);
    out->stamp_ns = as_signed(read_number(&payload[16], 8U), 0x8000000000000000U);
    out->reason_bits = read_number(&payload[24], 8U);
    out->deadline_misses = (uint32_t)read_number(&payload[32], 4U);
    out->frame_age_us = (int32_t)as_signed(read_number(&payload[36], 4U), 0x80000000U);
    read_states(&payload[40], out->camera_count, BEVRT_HEALTH_MAX_CAMERAS,
                out->camera_states);
    read_states(&payload[48], out->slot_count, BEVRT_HEALTH_MAX_SLOTS, out->slot_states);
    return BEVRT_HEALTH_STATUS_OK;
}
