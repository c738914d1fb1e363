//! What an `#[init]` function may return.

/// The result of an [`init`](macro@crate::init) function, as the host sees it.
#[diagnostic::on_unimplemented(
    message = "an `#[init]` function returns nothing or `Result<(), i32>`",
    label = "returned by an `#[init]` function"
)]
pub trait Outcome {
    /// 0 for success; any other number ends the load.
    fn status(self) -> i32;
}

impl Outcome for () {
    fn status(self) -> i32 {
        0
    }
}

/// `Err(0)` is an error too, and seen by the host as -1.
impl Outcome for Result<(), i32> {
    fn status(self) -> i32 {
        match self {
            Ok(()) => 0,
            Err(0) => -1,
            Err(status) => status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_is_zero() {
        assert_eq!(().status(), 0);
        assert_eq!(Ok(()).status(), 0);
        assert_eq!(Err(-19).status(), -19);
        assert_eq!(Err(0).status(), -1);
    }
}
