/// Whether this CPU has the feature, by the name that `rustc --print target-features` uses.
///
/// A name that is not known is a feature that is not there.
pub fn cpu_has(feature: &str) -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        match feature {
            "sse4.1" => is_x86_feature_detected!("sse4.1"),
            "avx" => is_x86_feature_detected!("avx"),
            "avx2" => is_x86_feature_detected!("avx2"),
            "fma" => is_x86_feature_detected!("fma"),
            "f16c" => is_x86_feature_detected!("f16c"),
            "avx512f" => is_x86_feature_detected!("avx512f"),
            "avx512bw" => is_x86_feature_detected!("avx512bw"),
            "avx512vl" => is_x86_feature_detected!("avx512vl"),
            "avx512vnni" => is_x86_feature_detected!("avx512vnni"),
            "avx512bf16" => is_x86_feature_detected!("avx512bf16"),
            "avx512fp16" => is_x86_feature_detected!("avx512fp16"),
            "avxvnni" => is_x86_feature_detected!("avxvnni"),
            _ => false,
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        use std::arch::is_aarch64_feature_detected;
        match feature {
            "neon" => is_aarch64_feature_detected!("neon"),
            "dotprod" => is_aarch64_feature_detected!("dotprod"),
            "i8mm" => is_aarch64_feature_detected!("i8mm"),
            "bf16" => is_aarch64_feature_detected!("bf16"),
            "fp16" => is_aarch64_feature_detected!("fp16"),
            "sve" => is_aarch64_feature_detected!("sve"),
            _ => false,
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = feature;
        false
    }
}
