//! An extension made by hand: its memory, its constructors, destructors and calls.

use super::ledger;
use super::mutex::ModelMutex;
use super::world::{NAMES, Record};
use crate::lifecycle::{Context, Functions, Hooks, Leaving, Lifecycle, stop};
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// What an extension's functions find: calls read it, constructors and destructors write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Raw,
    Up,
    Down,
}

/// The memory of an extension.
pub(super) struct Body {
    /// Which of all extensions of this schedule.
    pub(super) number: usize,
    life: Watched<Life>,
    /// All that leads into the memory reads this; whoever ends it writes it.
    is_there: Watched<bool>,
    fails: Cell<bool>,
    farewells: Cell<u32>,
    is_released: Cell<bool>,
    context: UnsafeCell<MaybeUninit<Context<ModelMutex>>>,
    record: UnsafeCell<MaybeUninit<Record>>,
}

// SAFETY: the checker runs one thread at a time, and watches the turns that matter.
unsafe impl Sync for Body {}

impl Body {
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            life: Watched::new(Life::Raw),
            is_there: Watched::new(true),
            fails: Cell::new(false),
            farewells: Cell::new(0),
            is_released: Cell::new(false),
            context: UnsafeCell::new(MaybeUninit::uninit()),
            record: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    pub(super) fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Its constructors will say no.
    pub(super) fn fail(&self) {
        self.fails.set(true);
    }

    /// Something in the memory is used.
    pub(super) fn touch(&self) {
        assert!(self.is_there.read(), "extension {} is used after its end", self.number);
    }

    /// A call into the extension.
    pub(super) fn call(&self) {
        self.touch();
        assert_eq!(self.life.read(), Life::Up, "extension {} was called", self.number);
    }

    fn change(&self, from: Life, to: Life) {
        ledger::assert_may_end();
        self.touch();
        self.life.write(|life| {
            assert_eq!(life, from, "extension {} becomes {to:?}", self.number);
            to
        });
    }

    /// The end of its block's life: it never came up, or went down.
    pub(super) fn retire(&self) {
        ledger::assert_may_end();
        assert_ne!(self.life.read(), Life::Up, "extension {} goes", self.number);
        self.is_there.write(|is_there| {
            assert!(is_there, "extension {} goes twice", self.number);
            false
        });
    }

    /// Its memory is given back.
    pub(super) fn release(&self) {
        ledger::assert_may_end();
        assert!(!self.is_there.read(), "extension {} is released before its end", self.number);
        assert!(!self.is_released.replace(true), "extension {} was released twice", self.number);
    }

    pub(super) fn is_released(&self) -> bool {
        self.is_released.get()
    }

    pub(super) fn assert_released(&self) {
        assert!(self.is_released(), "extension {} was not released", self.number);
        let farewells = u32::from(self.life.read() == Life::Down);
        assert_eq!(
            self.farewells.get(),
            farewells,
            "the host is told once that extension {} goes",
            self.number
        );
    }

    /// Writes context and record where a loader puts them.
    pub(super) fn place(
        &self,
        context: Context<ModelMutex>,
        record: impl FnOnce(NonNull<Context<ModelMutex>>) -> Record,
    ) -> NonNull<Record> {
        // SAFETY: nobody else knows of either yet.
        unsafe {
            let context = NonNull::from((*self.context.get()).write(context));
            NonNull::from((*self.record.get()).write(record(context)))
        }
    }
}

/// The functions of the extensions, by the indices of their names.
static INIT: [extern "C" fn(); NAMES.len()] = [constructor::<0>, constructor::<1>, constructor::<2>];
static START: [extern "C" fn() -> i32; NAMES.len()] = [agreement::<0>, agreement::<1>, agreement::<2>];
static FINI: [extern "C" fn(); NAMES.len()] = [destructor::<0>, destructor::<1>, destructor::<2>];

/// What runs of the extension whose name has this index.
pub(super) fn lifecycle(which: usize) -> Lifecycle {
    let only = |functions: &[extern "C" fn(); NAMES.len()]| Functions {
        start: core::ptr::from_ref(&functions[which]).addr(),
        count: 1,
    };
    Lifecycle {
        init: only(&INIT),
        start: Some(START[which] as usize),
        fini: only(&FINI),
        ..Lifecycle::default()
    }
}

pub(super) const HOOKS: Hooks = Hooks { panic: stop, leaving: Some(farewell) };

extern "C" fn constructor<const WHICH: usize>() {
    ledger::outside(|| latest(WHICH).change(Life::Raw, Life::Up));
}

extern "C" fn agreement<const WHICH: usize>() -> i32 {
    ledger::outside(|| i32::from(latest(WHICH).fails.get())).unwrap_or(1)
}

extern "C" fn destructor<const WHICH: usize>() {
    ledger::outside(|| latest(WHICH).change(Life::Up, Life::Down));
}

fn farewell(leaving: &Leaving) {
    let which = NAMES.iter().position(|name| name.as_bytes() == leaving.extension.as_bytes());
    let body = latest(which.expect("the extension has one of the names"));
    body.touch();
    assert_eq!(body.life.read(), Life::Down, "the host hears of extension {}", body.number);
    body.farewells.set(body.farewells.get() + 1);
}

fn latest(which: usize) -> &'static Body {
    ledger::latest(which).expect("the extension was loaded")
}

/// A value that loom watches: two accesses of which one writes need an order between them.
#[cfg(loom)]
struct Watched<T>(loom::cell::UnsafeCell<T>);

#[cfg(loom)]
impl<T: Copy> Watched<T> {
    fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    fn read(&self) -> T {
        // SAFETY: loom ends the schedule if anybody writes meanwhile.
        self.0.with(|value| unsafe { *value })
    }

    fn write(&self, change: impl FnOnce(T) -> T) {
        // SAFETY: loom ends the schedule if anybody reads or writes meanwhile.
        self.0.with_mut(|value| unsafe { *value = change(*value) });
    }
}

/// A value that takes its time: others run in the middle of every access, and must not be in each other's way.
#[cfg(shuttle)]
struct Watched<T> {
    value: Cell<T>,
    readers: Cell<u32>,
    is_written: Cell<bool>,
    turn: shuttle::sync::atomic::AtomicBool,
}

#[cfg(shuttle)]
impl<T: Copy> Watched<T> {
    fn new(value: T) -> Self {
        Self {
            value: Cell::new(value),
            readers: Cell::new(0),
            is_written: Cell::new(false),
            turn: false.into(),
        }
    }

    fn others_run(&self) {
        self.turn.load(core::sync::atomic::Ordering::SeqCst);
    }

    fn read(&self) -> T {
        assert!(!self.is_written.get(), "read while it is written");
        self.readers.set(self.readers.get() + 1);
        self.others_run();
        self.readers.set(self.readers.get() - 1);
        self.value.get()
    }

    fn write(&self, change: impl FnOnce(T) -> T) {
        assert!(!self.is_written.replace(true) && self.readers.get() == 0, "written while it is used");
        self.value.set(change(self.value.get()));
        self.others_run();
        self.is_written.set(false);
    }
}
