use super::*;
use crate::lock::StdRawMutex;
use crate::memory::Linux;

#[test]
fn handles_are_counted_up_to_what_a_count_holds() {
    let registry = Registry::<Linux, StdRawMutex, 1>::new(Linux::new());
    let full = Status { state: State::Live, uses: MAX_USES, ..Status::EMPTY };
    let [word] = &registry.words;
    assert!(word.update(|_| Some(full)).is_ok());
    registry.table.with(|table| {
        let [entry] = &mut table.entries;
        (entry.name, entry.extension) = (Name::new(b"blink"), Some(NonNull::dangling()));
        let entered = registry.enter(0, entry);
        assert_eq!(entered.err(), Some(Error::TooManyUses));
        entry.extension = None;
    });
    assert!(registry.find("blink").is_none());
}

#[test]
fn handles_references_and_guards_go_to_other_threads() {
    fn goes<T: Send + Sync>() {}
    goes::<Handle<'_, Linux, StdRawMutex, 1>>();
    goes::<Weak<'_, Linux, StdRawMutex, 1>>();
    goes::<Guard<'_, Linux, StdRawMutex, 1>>();
    goes::<Object<'_, Linux, StdRawMutex, 1>>();
}
