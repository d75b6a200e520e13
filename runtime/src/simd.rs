//! Which vector instructions the kernels of this process use, found once at set-up.
//!
//! Every kernel has one body in plain Rust. It is compiled once for the base instruction set and
//! once for each set named here, with the same operations in the same order and without fused
//! contractions, so that all of them write the same bytes.

/// An instruction set that a kernel can be run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Simd {
    /// What the target always has.
    Base,
    /// AVX2 with F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

/// Proof that this processor has AVX2 and F16C. **Invariant**: only [`Simd::available`] makes it.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Avx2(());

impl Simd {
    /// The widest set that this processor has.
    pub(crate) fn detect() -> Self {
        let [widest, _] = Self::available();
        widest
    }

    /// The sets to run on this processor, the widest first.
    pub(crate) fn available() -> [Self; 2] {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c") {
            return [Self::Avx2(Avx2(())), Self::Base];
        }
        [Self::Base; 2]
    }
}

/// Defines a function that runs `body` with the instruction set of its first argument.
///
/// `body` must be `#[inline(always)]`, so that it is compiled anew inside each variant.
macro_rules! simd_variants {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:path;) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(simd: $crate::simd::Simd, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,f16c")]
            #[allow(clippy::too_many_arguments)]
            fn with_avx2($($arg: $type),*) {
                $body($($arg),*)
            }
            match simd {
                $crate::simd::Simd::Base => $body($($arg),*),
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Simd::Avx2(_) => {
                    // SAFETY:
                    // - the processor has AVX2 and F16C: the value `Avx2` exists only where
                    //   `Simd::available` has found both.
                    unsafe { with_avx2($($arg),*) }
                }
            }
        }
    };
}
pub(crate) use simd_variants;
