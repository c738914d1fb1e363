//! Error numbers: what LLEXT's functions return where the run time has an [`Error`].

use core::ffi::c_int;
use llext::Error;
use llext::memory::MemoryError;
use llext::source::ReadError;
use llext_link::Error as LinkError;

/// On Linux these are Linux's, elsewhere newlib's, which picolibc and Zephyr's own library share.
const LINUX: bool = cfg!(target_os = "linux");

macro_rules! numbers {
    ($($name:ident $linux:literal $newlib:literal)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "` of `errno.h`.")]
            pub const $name: c_int = if LINUX { $linux } else { $newlib };
        )*
        /// Every name, and its number on Linux and in newlib.
        pub const NUMBERS: &[(&str, [c_int; 2])] = &[$((stringify!($name), [$linux, $newlib])),*];
    };
}
numbers! {
    ENOENT 2 2
    EIO 5 5
    ENOEXEC 8 8
    EAGAIN 11 11
    ENOMEM 12 12
    EACCES 13 13
    EFAULT 14 14
    EBUSY 16 16
    EEXIST 17 17
    EINVAL 22 22
    ENOSYS 38 88
    ENODATA 61 61
    ENOTSUP 95 134
}

/// What a C function returns for `error`: a negative number.
pub fn negative(error: &Error) -> c_int {
    match *error {
        // What an operation of a loader returned goes through as it is.
        Error::Read { error: ReadError::Failed { os } } if os < 0 => os,
        _ => -number(error),
    }
}

fn number(error: &Error) -> c_int {
    match *error {
        Error::Link(LinkError::UndefinedSymbols { .. }) => ENODATA,
        Error::Link(LinkError::ThreadLocal { .. } | LinkError::NotInPlace { .. }) => ENOTSUP,
        Error::Read { error: ReadError::WouldBlock } => EAGAIN,
        Error::Read { error: ReadError::Failed { .. } } => EIO,
        Error::Memory { error } => of_memory(error),
        Error::ScratchTooSmall { .. } | Error::InspectionTooSmall { .. } => ENOMEM,
        Error::RegistryFull { .. } | Error::TooManyObjects { .. } => ENOMEM,
        Error::Exists { .. } => EEXIST,
        Error::Busy { .. } | Error::InUse { .. } | Error::TooManyUses => EBUSY,
        Error::SymbolNotFound { .. } => ENOENT,
        Error::BadExtensionName { .. } | Error::Died | Error::WrongPhase { .. } => EINVAL,
        Error::ForeignProvider
        | Error::LoadEnded
        | Error::NoInitialData { .. }
        | Error::NotInstantiable { .. } => EINVAL,
        Error::InitFailed { .. } => EIO,
        Error::Denied { .. } => EACCES,
        Error::WithoutSlid { .. } | Error::UnexpectedSlid { .. } | Error::OtherHost { .. } => ENODATA,
        Error::BadSaved { .. } | Error::OtherBuild { .. } | Error::OtherExports { .. } => EFAULT,
        Error::OtherMemory { .. } | Error::MemoryChanged { .. } => EFAULT,
        Error::NotFresh => EBUSY,
        Error::Unsaved { .. } | Error::UnknownExports | Error::SharedLeftOut => ENOTSUP,
        Error::NotLinked { .. } | Error::PlaceNotLent { .. } | Error::PlaceDiffers { .. } => EFAULT,
        _ => ENOEXEC,
    }
}

fn of_memory(error: MemoryError) -> c_int {
    match error {
        MemoryError::SplitMemory => ENOTSUP,
        MemoryError::InUse { .. } => EBUSY,
        MemoryError::BadAlignment { .. } | MemoryError::BadSegment { .. } => ENOEXEC,
        MemoryError::SharedPage { .. } => ENOEXEC,
        MemoryError::OutOfOrder { .. } => EFAULT,
        _ => ENOMEM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llext::error::Name;
    use llext::memory::Part;

    #[test]
    fn errors_have_llext_s_numbers() {
        let name = Name::new(b"printk");
        let undefined = Error::Link(LinkError::UndefinedSymbols { count: 1, first: name });
        let full = MemoryError::OutOfMemory { part: Part::Code, wanted: 1, available: 0 };
        for (error, expected) in [
            (undefined, -61),
            (Error::Link(LinkError::NothingToLoad), -8),
            (Error::Memory { error: full }, -12),
            (Error::Memory { error: MemoryError::SplitMemory }, -ENOTSUP),
            (Error::SharedLeftOut, -ENOTSUP),
            (Error::SymbolNotFound { name }, -2),
            (Error::Died, -22),
            (Error::Busy { name }, -16),
            (Error::Read { error: ReadError::Failed { os: -1234 } }, -1234),
            (Error::Read { error: ReadError::Failed { os: 0 } }, -5),
        ] {
            assert_eq!(negative(&error), expected, "{error}");
        }
    }
}
