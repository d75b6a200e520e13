/*
 * Checks messages of bevrt on an ECU that does not link the bevrt library: AUTOSAR E2E profiles
 * 4 and 7 with their state machine. Stand-alone C11; the header serves C++17 too.
 *
 * No dynamic memory, no recursion, no static mutable state. Everything about a channel is in its
 * bevrt_e2e_receiver_t: different receivers may be used by different threads at the same time, one
 * receiver by one thread at a time. Nothing here waits or fails; time is that of one table look-up
 * for each byte of the message.
 *
 * The states are those of the Rust receiver, message by message; README.md explains them.
 */
#ifndef BEVRT_E2E_H
#define BEVRT_E2E_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the headers; the payload follows. */
#define BEVRT_E2E_P04_HEADER_BYTES 12U
#define BEVRT_E2E_P07_HEADER_BYTES 20U

/* Most bytes of a message, header included. */
#define BEVRT_E2E_P04_MAX_MESSAGE_BYTES 4096U
#define BEVRT_E2E_P07_MAX_MESSAGE_BYTES 4194304U

/* Most checks that a window can look back. */
#define BEVRT_E2E_MAX_WINDOW 64U

/* Profiles. */
#define BEVRT_E2E_PROFILE_4 ((uint8_t)4)
#define BEVRT_E2E_PROFILE_7 ((uint8_t)7)

/* What happens to the memory of past messages when the channel becomes invalid. */
#define BEVRT_E2E_KEEP_WINDOW ((uint8_t)0)
#define BEVRT_E2E_CLEAR_WINDOW ((uint8_t)1)

/* What one check found. */
typedef uint8_t bevrt_e2e_message_state_t;
#define BEVRT_E2E_MESSAGE_OK ((bevrt_e2e_message_state_t)0)             /* intact, the next one */
#define BEVRT_E2E_MESSAGE_OK_SOME_LOST ((bevrt_e2e_message_state_t)1)   /* some lost, tolerated */
#define BEVRT_E2E_MESSAGE_REPEATED ((bevrt_e2e_message_state_t)2)       /* the same as the last */
#define BEVRT_E2E_MESSAGE_WRONG_SEQUENCE ((bevrt_e2e_message_state_t)3) /* too far, or backwards */
#define BEVRT_E2E_MESSAGE_ERROR ((bevrt_e2e_message_state_t)4)          /* damaged or foreign */
#define BEVRT_E2E_MESSAGE_NO_NEW_DATA ((bevrt_e2e_message_state_t)5)    /* nothing came */

/* Whether a channel's messages may be used. */
typedef uint8_t bevrt_e2e_channel_state_t;
#define BEVRT_E2E_CHANNEL_NO_DATA ((bevrt_e2e_channel_state_t)0) /* nothing intact has come yet */
#define BEVRT_E2E_CHANNEL_INIT ((bevrt_e2e_channel_state_t)1)    /* too few messages to judge */
#define BEVRT_E2E_CHANNEL_VALID ((bevrt_e2e_channel_state_t)2)   /* may be used */
#define BEVRT_E2E_CHANNEL_INVALID ((bevrt_e2e_channel_state_t)3) /* must not be used */

/* Outcome of bevrt_e2e_receiver_init: 0, or the first field that is wrong. Append-only. */
typedef int32_t bevrt_e2e_status_t;
#define BEVRT_E2E_STATUS_OK ((bevrt_e2e_status_t)0)
#define BEVRT_E2E_STATUS_NULL ((bevrt_e2e_status_t)1)
#define BEVRT_E2E_STATUS_PROFILE ((bevrt_e2e_status_t)2)
#define BEVRT_E2E_STATUS_MIN_MESSAGE_BYTES ((bevrt_e2e_status_t)3)
#define BEVRT_E2E_STATUS_MAX_MESSAGE_BYTES ((bevrt_e2e_status_t)4)
#define BEVRT_E2E_STATUS_MAX_DELTA_COUNTER ((bevrt_e2e_status_t)5)
#define BEVRT_E2E_STATUS_VALID_SIZE ((bevrt_e2e_status_t)6)
#define BEVRT_E2E_STATUS_INIT_SIZE ((bevrt_e2e_status_t)7)
#define BEVRT_E2E_STATUS_INVALID_SIZE ((bevrt_e2e_status_t)8)
#define BEVRT_E2E_STATUS_VALID_MIN_OK ((bevrt_e2e_status_t)9)
#define BEVRT_E2E_STATUS_INIT_MIN_OK ((bevrt_e2e_status_t)10)
#define BEVRT_E2E_STATUS_INVALID_MIN_OK ((bevrt_e2e_status_t)11)
#define BEVRT_E2E_STATUS_INIT_MAX_ERROR ((bevrt_e2e_status_t)12)
#define BEVRT_E2E_STATUS_VALID_MAX_ERROR ((bevrt_e2e_status_t)13)
#define BEVRT_E2E_STATUS_INIT_SUM ((bevrt_e2e_status_t)14)
#define BEVRT_E2E_STATUS_VALID_SUM ((bevrt_e2e_status_t)15)
#define BEVRT_E2E_STATUS_INVALID_SUM ((bevrt_e2e_status_t)16)
#define BEVRT_E2E_STATUS_ON_INVALID ((bevrt_e2e_status_t)17)

/* How far a state looks back, and what it asks of the messages there. */
typedef struct {
    uint8_t size;      /* last checks that count, 1 to BEVRT_E2E_MAX_WINDOW */
    uint8_t min_ok;    /* fewest messages in the window that must be in order */
    uint8_t max_error; /* most messages in the window that may be in error */
} bevrt_e2e_window_t;

/*
 * A channel and what is tolerated on it. Rules, checked in this order:
 * header bytes <= min_message_bytes <= max_message_bytes <= the profile's most;
 * 1 <= max_delta_counter <= half of the counter's range (32767 or 2147483647);
 * 1 <= valid.size <= BEVRT_E2E_MAX_WINDOW; init.size and invalid.size 1 to valid.size;
 * 1 <= valid.min_ok <= init.min_ok <= invalid.min_ok;
 * valid.max_error >= init.max_error >= invalid.max_error;
 * in each window min_ok + max_error <= size.
 */
typedef struct {
    uint32_t data_id;
    uint32_t min_message_bytes; /* header included */
    uint32_t max_message_bytes; /* header included */
    uint32_t max_delta_counter; /* 1: no message may be lost; 3: two in a row may */
    uint8_t profile;            /* BEVRT_E2E_PROFILE_4 or _7 */
    uint8_t on_invalid;         /* BEVRT_E2E_KEEP_WINDOW or _CLEAR_WINDOW */
    bevrt_e2e_window_t init;
    bevrt_e2e_window_t valid;
    bevrt_e2e_window_t invalid;
} bevrt_e2e_config_t;

/* One channel's receiver. The caller owns the memory; only the functions below touch the fields. */
typedef struct {
    bevrt_e2e_config_t config;
    uint64_t ok_bits;    /* the newest check in bit 0 */
    uint64_t error_bits; /* likewise */
    uint32_t last_counter;
    bevrt_e2e_channel_state_t channel;
} bevrt_e2e_receiver_t;

/* Makes a receiver that has seen nothing. It is left untouched unless the status is OK. */
bevrt_e2e_status_t bevrt_e2e_receiver_init(bevrt_e2e_receiver_t *receiver,
                                           const bevrt_e2e_config_t *config);

/* Begins anew, as after init. Does nothing with NULL. */
void bevrt_e2e_receiver_reset(bevrt_e2e_receiver_t *receiver);

/*
 * Checks a message, header included, of `length` bytes; `message` NULL notes that none came.
 * Call it once a cycle: silence is noticed by checks alone. The message may have any alignment and
 * is only read, during the call. With `receiver` NULL, or all zero because init was forgotten, the
 * answer is BEVRT_E2E_MESSAGE_ERROR.
 */
bevrt_e2e_message_state_t bevrt_e2e_receiver_check(bevrt_e2e_receiver_t *receiver,
                                                   const uint8_t *message, uint32_t length);

/* The channel after the last check; BEVRT_E2E_CHANNEL_NO_DATA with NULL. */
bevrt_e2e_channel_state_t bevrt_e2e_receiver_channel(const bevrt_e2e_receiver_t *receiver);

/* 1 when a message that was found to be in `message` may be used: new, in order, on a valid channel. */
uint8_t bevrt_e2e_receiver_may_use(const bevrt_e2e_receiver_t *receiver,
                                   bevrt_e2e_message_state_t message);

/* CRC-32/AUTOSAR and CRC-64/XZ of `length` bytes; of none with NULL. For self-tests at start-up. */
uint32_t bevrt_e2e_crc32_autosar(const uint8_t *bytes, uint32_t length);
uint64_t bevrt_e2e_crc64_xz(const uint8_t *bytes, uint32_t length);

#ifdef __cplusplus
}
#endif

#endif
