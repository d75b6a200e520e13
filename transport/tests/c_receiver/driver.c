/*
 * Runs the C receiver over a script on standard input and answers on standard output; numbers are
 * little-endian. Messages are copied into memory of exactly their length, so that an address
 * sanitizer sees every byte read too far.
 *
 * 'C' profile, on_invalid, data_id, min, max, delta (u32 each), 9 window bytes: status as u32
 * 'M' length, bytes: message, channel, may_use      'N': the same for silence
 * 'R': channel after a reset                        '8' / '4' length, bytes: CRC as u64
 * 'H' length, bytes: status as u32, and when OK 35 numbers as u64
 */
#include <stdio.h>
#include <stdlib.h>

#include "bevrt_e2e.h"
#include "bevrt_health.h"

static uint8_t get_u8(void)
{
    int byte = getchar();
    if (byte == EOF) {
        exit(2);
    }
    return (uint8_t)byte;
}

static uint32_t get_u32(void)
{
    uint32_t number = 0U;
    for (uint32_t shift = 0U; shift < 32U; shift += 8U) {
        number |= (uint32_t)get_u8() << shift;
    }
    return number;
}

static void put(uint64_t number, uint32_t bytes)
{
    for (uint32_t index = 0U; index < bytes; index++) {
        (void)putchar((int)((number >> (8U * index)) & 0xFFU));
    }
}

static uint8_t *get_bytes(uint32_t *length)
{
    uint8_t *bytes;
    *length = get_u32();
    bytes = malloc(*length);
    if (bytes == NULL && *length > 0U) {
        exit(3);
    }
    if (fread(bytes, 1U, *length, stdin) != *length) {
        exit(2);
    }
    return bytes;
}

static bevrt_e2e_window_t get_window(void)
{
    bevrt_e2e_window_t window;
    window.size = get_u8();
    window.min_ok = get_u8();
    window.max_error = get_u8();
    return window;
}

static void configure(bevrt_e2e_receiver_t *receiver)
{
    bevrt_e2e_config_t config;
    config.profile = get_u8();
    config.on_invalid = get_u8();
    config.data_id = get_u32();
    config.min_message_bytes = get_u32();
    config.max_message_bytes = get_u32();
    config.max_delta_counter = get_u32();
    config.init = get_window();
    config.valid = get_window();
    config.invalid = get_window();
    put((uint64_t)bevrt_e2e_receiver_init(receiver, &config), 4U);
}

static void check(bevrt_e2e_receiver_t *receiver, const uint8_t *message, uint32_t length)
{
    const bevrt_e2e_message_state_t state = bevrt_e2e_receiver_check(receiver, message, length);
    put(state, 1U);
    put(bevrt_e2e_receiver_channel(receiver), 1U);
    put(bevrt_e2e_receiver_may_use(receiver, state), 1U);
}

static void read_health(const uint8_t *bytes, uint32_t length)
{
    bevrt_health_t health;
    const bevrt_health_status_t status = bevrt_health_read(bytes, length, &health);
    put((uint64_t)status, 4U);
    if (status != BEVRT_HEALTH_STATUS_OK) {
        return;
    }
    put(health.sequence, 8U);
    put((uint64_t)health.stamp_ns, 8U);
    put(health.reason_bits, 8U);
    put(health.deadline_misses, 8U);
    put((uint64_t)(int64_t)health.frame_age_us, 8U);
    put(health.state, 8U);
    put(health.ego_motion, 8U);
    put(health.reference_camera, 8U);
    put(health.camera_count, 8U);
    put(health.slot_count, 8U);
    for (uint32_t index = 0U; index < BEVRT_HEALTH_MAX_CAMERAS; index++) {
        put(health.camera_states[index], 8U);
    }
    for (uint32_t index = 0U; index < BEVRT_HEALTH_MAX_SLOTS; index++) {
        put(health.slot_states[index], 8U);
    }
}

int main(void)
{
    static bevrt_e2e_receiver_t receiver;
    for (int operation = getchar(); operation != EOF; operation = getchar()) {
        uint8_t *bytes = NULL;
        uint32_t length = 0U;
        switch (operation) {
        case 'C':
            configure(&receiver);
            break;
        case 'M':
            bytes = get_bytes(&length);
            check(&receiver, bytes, length);
            break;
        case 'N':
            check(&receiver, NULL, 0U);
            break;
        case 'R':
            bevrt_e2e_receiver_reset(&receiver);
            put(bevrt_e2e_receiver_channel(&receiver), 1U);
            break;
        case '4':
            bytes = get_bytes(&length);
            put(bevrt_e2e_crc32_autosar(bytes, length), 8U);
            break;
        case '8':
            bytes = get_bytes(&length);
            put(bevrt_e2e_crc64_xz(bytes, length), 8U);
            break;
        case 'H':
            bytes = get_bytes(&length);
            read_health(bytes, length);
            break;
        default:
            return 4;
        }
        free(bytes);
    }
    return 0;
}
