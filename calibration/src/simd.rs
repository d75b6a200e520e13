//! Which vector instructions the kernels of this process use, found once at set-up.
//!
//! Every kernel has one body in plain Rust. It is compiled once for the base instruction set and
//! once for each set named here, with the same operations in the same order and without fused
//! contractions, so that all of them write the same bytes. On aarch64 the base set holds NEON.
//!
//! For the kernels of this workspace; nothing here is meant for others.

/// An instruction set that a kernel can be run with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Simd {
    /// What the target always has.
    #[default]
    Base,
    /// AVX2 and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AVX-512 F, with AVX2 and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx2, Avx512),
}

/// Proof that this processor has AVX2 and F16C. **Invariant**: only `Avx2::detect` makes it.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2(());

/// Proof that this processor has AVX-512 F. **Invariant**: only `Avx512::detect` makes it.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    fn detect() -> Option<Self> {
        let has_both = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c");
        has_both.then_some(Self(()))
    }
}

#[cfg(target_arch = "x86_64")]
impl Avx512 {
    fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

impl Simd {
    /// The widest set that this processor has.
    pub fn detect() -> Self {
        let [widest, ..] = Self::available();
        widest
    }

    /// The sets to run on this processor, the widest first, the base set in place of those that
    /// it lacks.
    pub fn available() -> [Self; 3] {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            let widest = match Avx512::detect() {
                Some(avx512) => Self::Avx512(avx2, avx512),
                None => Self::Avx2(avx2),
            };
            return [widest, Self::Avx2(avx2), Self::Base];
        }
        [Self::Base; 3]
    }
}

/// Defines a function that runs `body` with the instruction set of its first argument, up to AVX2.
///
/// `body` must be `#[inline(always)]`, so that it is compiled anew inside each variant.
#[doc(hidden)]
#[macro_export]
macro_rules! simd_variants {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:path;) => {
        $(#[$doc])*
        #[allow(unsafe_code)]
        $vis fn $name(simd: $crate::simd::Simd, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,f16c")]
            fn with_avx2($($arg: $type),*) {
                $body($($arg),*)
            }
            match simd {
                $crate::simd::Simd::Base => $body($($arg),*),
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Simd::Avx2(_) | $crate::simd::Simd::Avx512(..) => {
                    // SAFETY:
                    // - the processor has AVX2 and F16C: a value of type `Avx2` is in hand, and
                    //   only `Avx2::detect` makes one, after finding both.
                    unsafe { with_avx2($($arg),*) }
                }
            }
        }
    };
}
pub use simd_variants;
