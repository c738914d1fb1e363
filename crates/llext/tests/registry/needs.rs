//! Needs: an extension names others, in `DT_NEEDED` or in a note, and whoever loads it brings them first.

use crate::kit::{
    App, HOST, SLOTS, apps, call, compiled, in_use, init_failed, is_empty, live, load, noted, object,
    path_of, shared, text,
};
use llext::error::Name;
use llext::loader::{LoadNeeded, MAX_DEPTH, Need};
use llext::lock::StdRawMutex;
use llext::registry::MAX_HOLDS;
use llext::source::{ReadError, ReadOnly};
use llext::{Error, Registry, Source};
use std::cell::RefCell;
use std::sync::Barrier;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use crate::arena::Arena;

type Wanted<'n, 'r> = Need<'n, 'r, Arena, StdRawMutex, SLOTS>;

/// The note by which an object says that it needs `name`: owner `llext`, type 2.
pub(crate) fn note(name: &str) -> String {
    format!(
        "asm(\".pushsection .note.llext,\\\"a\\\",@note; .balign 4; .long 6, {}, 2; .asciz \\\"llext\\\"; .balign 4;\
         .asciz \\\"{name}\\\"; .balign 4; .popsection\");",
        name.len() + 1
    )
}

/// An object that needs `names`, and notes `number` when its constructor runs.
fn needing(number: i32, names: &[&str]) -> &'static [u8] {
    let notes: String = names.iter().map(|name| note(name)).collect();
    object(&format!(
        "{notes} __attribute__((constructor)) static void up(void) {{ note({number}); }}
         int f{number}(void) {{ return {number}; }}"
    ))
}

/// Files by name, and in which order they were asked for, by whom.
struct Shelf<'s> {
    files: &'s [(&'s str, &'static [u8])],
    asked: RefCell<Vec<String>>,
}

impl<'s> Shelf<'s> {
    fn new(files: &'s [(&'s str, &'static [u8])]) -> Self {
        Self { files, asked: RefCell::default() }
    }

    /// Loads what is needed, and what that needs.
    fn fetch<'r>(&self, need: &Wanted<'_, 'r>) -> Result<App<'r>, Error> {
        self.asked.borrow_mut().push(format!("{} for {}", need.name(), need.needed_by()));
        let missing = llext_link::Error::MissingDependency { name: Name::new(need.name().as_bytes()) };
        let file = self.files.iter().find(|(name, _)| *name == need.name()).ok_or(missing)?;
        let mut fetch = |need: &Wanted<'_, 'r>| self.fetch(need);
        // SAFETY: the sources of these tests are in these tests.
        unsafe { need.loader(&HOST).on_needed(&mut fetch).load(need.name(), file.1) }
    }

    fn load<'r>(&self, apps: &'r Registry<Arena, StdRawMutex, SLOTS>, name: &str) -> Result<App<'r>, Error> {
        let mut fetch = |need: &Wanted<'_, 'r>| self.fetch(need);
        let file = self.files.iter().find(|(own, _)| *own == name).unwrap();
        // SAFETY: the sources of these tests are in these tests.
        unsafe { apps.loader(&HOST).on_needed(&mut fetch).load(name, file.1) }
    }
}

#[test]
fn what_an_object_s_note_names_is_loaded_first_and_provides() {
    let user = object(&(note("b") + "extern int f2(void); int probe(void) { return f2() + 40; }"));
    let shelf_files = [("a", user), ("b", needing(2, &[]))];
    let (apps, shelf) = (apps(), Shelf::new(&shelf_files));
    let app = shelf.load(&apps, "a").unwrap();
    assert_eq!((call(&app, "probe"), live(&apps)), (42, vec!["b".to_owned(), "a".to_owned()]));
    assert_eq!((noted(), shelf.asked.take()), (vec![2], vec!["b for a".to_owned()]));
    assert_eq!(app.dependencies().map(text).collect::<Vec<_>>(), ["b"]);
    drop(app);
    is_empty(&apps);
}

#[test]
fn a_shared_object_s_needed_names_and_notes_are_both_needs() {
    let library = ["-O1", "-shared", "-nostdlib", "-Wl,-soname,libb.so"];
    let provider = path_of("int f2(void) { return 2; }", &library);
    let linked = ["-O1", "-shared", "-nostdlib", "-Wl,--no-as-needed", provider.to_str().unwrap()];
    let user = compiled(&(note("c") + "extern int f2(void); int probe(void) { return f2() + 40; }"), &linked);
    let files = [("a", user), ("libb.so", shared("int f2(void) { return 2; }")), ("c", needing(3, &[]))];
    let (apps, shelf) = (apps(), Shelf::new(&files));
    let app = shelf.load(&apps, "a").unwrap();
    assert_eq!(call(&app, "probe"), 42);
    assert_eq!(shelf.asked.take(), ["libb.so for a", "c for a"]);
    assert_eq!(live(&apps), ["libb.so", "c", "a"]);
}

#[test]
fn what_is_live_or_calls_itself_so_is_not_loaded_again() {
    let named =
        compiled("int f2(void) { return 2; }", &["-O1", "-shared", "-nostdlib", "-Wl,-soname,libb.so"]);
    let user =
        object(&(note("libb.so") + &note("c") + "extern int f2(void); int probe(void) { return f2(); }"));
    let files = [("a", user)];
    let (apps, shelf) = (apps(), Shelf::new(&files));
    let _b = load(&apps, "another name", named).unwrap();
    let _c = load(&apps, "c", needing(3, &[])).unwrap();
    let app = shelf.load(&apps, "a").unwrap();
    assert_eq!((call(&app, "probe"), shelf.asked.take().len()), (2, 0));
    assert_eq!(app.dependencies().map(text).collect::<Vec<_>>(), ["another name", "c"]);
}

#[test]
fn what_is_held_too_often_is_not_called_missing() {
    let apps = apps();
    let provider = load(&apps, "b", needing(2, &[])).unwrap();
    let weak = provider.downgrade();
    let mut guards: Vec<_> = (0..MAX_HOLDS).map(|_| weak.enter().unwrap()).collect();
    assert_eq!(load(&apps, "a", needing(1, &["b"])).err(), Some(Error::TooManyUses));
    guards.pop();
    let user = load(&apps, "a", needing(1, &["b"])).unwrap();
    drop((user, guards, provider));
    is_empty(&apps);
}

#[test]
fn what_two_need_is_loaded_once() {
    let files = [
        ("a", needing(1, &["b", "c"])),
        ("b", needing(2, &["d"])),
        ("c", needing(3, &["d"])),
        ("d", needing(4, &[])),
    ];
    let (apps, shelf) = (apps(), Shelf::new(&files));
    let app = shelf.load(&apps, "a").unwrap();
    assert_eq!((noted(), shelf.asked.take().len()), (vec![4, 2, 3, 1], 3));
    let d = apps.find("d").unwrap();
    assert_eq!(d.dependents().map(text).collect::<Vec<_>>(), ["b", "c"]);
    drop((app, d));
    is_empty(&apps);
}

#[test]
fn a_circle_is_found_out_and_nothing_of_it_is_left() {
    let circles: [&[(&str, &[&str])]; 4] = [
        &[("a", &["a"])],
        &[("a", &["b"]), ("b", &["a"])],
        &[("a", &["b"]), ("b", &["c"]), ("c", &["a"])],
        &[("a", &["d", "b"]), ("d", &[]), ("b", &["c"]), ("c", &["b"])],
    ];
    for circle in circles {
        let files: Vec<_> = circle.iter().map(|(name, needs)| (*name, needing(1, needs))).collect();
        let (apps, shelf) = (apps(), Shelf::new(&files));
        let again = circle.last().and_then(|(_, needs)| needs.first()).unwrap();
        assert_eq!(shelf.load(&apps, "a").err(), Some(Error::Cycle { name: Name::new(again.as_bytes()) }));
        is_empty(&apps);
    }
}

#[test]
fn a_circle_through_a_soname_is_found_out() {
    let a = compiled(&note("b"), &["-O1", "-shared", "-nostdlib", "-Wl,-soname,liba.so"]);
    let files = [("a", a), ("b", needing(2, &["liba.so"])), ("liba.so", a)];
    let (apps, shelf) = (apps(), Shelf::new(&files));
    assert_eq!(shelf.load(&apps, "a").err(), Some(Error::Cycle { name: Name::new(b"b") }));
    is_empty(&apps);
}

#[test]
fn a_chain_has_so_many_links_and_no_more() {
    let names: Vec<String> = (0..=MAX_DEPTH).map(|n| format!("n{n}")).collect();
    let file =
        |n: usize| needing(n as i32, &names.get(n + 1).map(String::as_str).into_iter().collect::<Vec<_>>());
    let mut files: Vec<_> = (0..names.len()).map(|n| (&*names[n], file(n))).collect();
    let apps = apps();
    let expected = Error::TooDeep { name: Name::new(names[16].as_bytes()), expected: MAX_DEPTH };
    assert_eq!(Shelf::new(&files).load(&apps, "n0").err(), Some(expected));
    is_empty(&apps);
    files[MAX_DEPTH as usize - 1].1 = needing(15, &[]);
    let app = Shelf::new(&files).load(&apps, "n0").unwrap();
    assert_eq!(live(&apps).len(), MAX_DEPTH as usize);
    drop(app);
    is_empty(&apps);
    noted();
}

#[test]
fn what_nobody_brings_is_missing() {
    let (apps, bytes) = (apps(), needing(1, &["nowhere"]));
    let missing = llext_link::Error::MissingDependency { name: Name::new(b"nowhere") };
    assert_eq!(load(&apps, "a", bytes).err(), Some(missing.into()));
    let files = [("a", bytes)];
    assert_eq!(Shelf::new(&files).load(&apps, "a").err(), Some(missing.into()));
    is_empty(&apps);
}

#[test]
fn what_the_host_stands_in_for_is_not_asked_for() {
    struct Provides;
    impl llext::export::Exports for Provides {
        fn address(&self, _: &llext::export::SymbolName<'_>) -> Option<usize> {
            Some(crate::kit::note as *const () as usize)
        }
        fn provides(&self, soname: &[u8]) -> bool {
            soname == b"b"
        }
    }
    let apps = apps();
    let app = crate::kit::load_against(&apps, &Provides, "a", needing(1, &["b"])).unwrap();
    assert_eq!(app.dependencies().count(), 0);
    assert_eq!(noted(), [1]);
}

#[test]
fn what_somebody_else_is_loading_is_busy() {
    let (apps, b) = (apps(), needing(2, &[]));
    let source: &mut dyn Source = &mut { b };
    // SAFETY: the sources of these tests are in these tests.
    let begun = unsafe { apps.loader(&HOST).start("b", source) }.unwrap();
    let busy = Some(Error::Busy { name: Name::new(b"b") });
    assert_eq!(load(&apps, "a", needing(1, &["b"])).err(), busy);
    let files = [("a", needing(1, &["b"])), ("b", b)];
    assert_eq!(Shelf::new(&files).load(&apps, "a").err(), busy);
    drop(begun);
    assert!(Shelf::new(&files).load(&apps, "a").is_ok());
    is_empty(&apps);
}

#[test]
fn a_need_that_fails_leaves_nothing() {
    let fails = object("int llext_init(void) { return 5; }");
    let files = [("a", needing(1, &["b", "c"])), ("b", needing(2, &[])), ("c", fails)];
    let (apps, shelf) = (apps(), Shelf::new(&files));
    for _ in 0..10 {
        assert_eq!(shelf.load(&apps, "a").err(), Some(init_failed("c", 5)));
        is_empty(&apps);
    }
}

/// Brings what is needed, but `c` only after it would have blocked some times.
fn blocking<'s, 'r>(
    shelf: &'s Shelf<'s>,
    blocks: &'s RefCell<i32>,
) -> impl FnMut(&Wanted<'_, 'r>) -> Result<App<'r>, Error> + 's {
    |need: &Wanted<'_, 'r>| {
        if need.name() == "c" && blocks.replace_with(|left| *left - 1) > 0 {
            return Err(Error::Read { error: ReadError::WouldBlock });
        }
        shelf.fetch(need)
    }
}

#[test]
fn whoever_brings_what_is_needed_may_let_the_load_wait() {
    let (apps, a) = (apps(), needing(1, &["b", "c"]));
    let blocks = RefCell::new(3);
    let shelf_files = [("b", needing(2, &[])), ("c", needing(3, &[]))];
    let shelf = Shelf::new(&shelf_files);
    let mut fetch = blocking(&shelf, &blocks);
    let source: &mut dyn Source = &mut { a };
    // SAFETY: the sources of these tests are in these tests.
    let mut begun = unsafe { apps.loader(&HOST).on_needed(&mut fetch).start("a", source) }.unwrap();
    let mut waited = 0;
    let app = loop {
        match begun.step(u32::MAX) {
            Poll::Ready(app) => break app.unwrap(),
            Poll::Pending => waited += 1,
        }
    };
    assert_eq!((waited, noted()), (3, vec![2, 3, 1]));
    drop(begun);
    assert_eq!(shelf.asked.take(), ["b for a", "c for a"]);
    drop(app);
    is_empty(&apps);
}

#[test]
fn a_load_that_waits_takes_no_scratch_for_waiting() {
    let (apps, a) = (apps(), needing(1, &["c"]));
    let needed = apps.loader(&HOST).verify("a", ReadOnly(needing(1, &[]))).unwrap().scratch;
    let (mut little, mut all) = (vec![0; needed + 256], Vec::new());
    let (shelf_files, blocks) = ([("c", needing(3, &[]))], RefCell::new(1000));
    let shelf = Shelf::new(&shelf_files);
    for lent in [false, true] {
        blocks.replace(1000);
        let mut fetch = blocking(&shelf, &blocks);
        let mut loader = apps.loader(&HOST).on_needed(&mut fetch);
        if lent {
            loader = loader.scratch(&mut little);
        }
        let source: &mut dyn Source = &mut ReadOnly(a);
        // SAFETY: the sources of these tests are in these tests.
        let mut begun = unsafe { loader.start("a", source) }.unwrap();
        while begun.step(u32::MAX).is_pending() {
            all.push(in_use(&apps));
        }
        drop(begun);
        is_empty(&apps);
    }
    assert_eq!((all.len(), all[0], all[1000]), (2000, all[999], 0));
    noted();
}

#[test]
fn two_loads_that_wait_for_each_other_do_not_wait_for_ever() {
    let (apps, both) = (apps(), Barrier::new(2));
    let load = |name: &str, other: &str| {
        let bring: LoadNeeded<'_, '_, Arena, StdRawMutex, SLOTS> = &mut |need| {
            if need.needed_by() == name {
                // Both names are reserved.
                both.wait();
            }
            let file = needing(1, &[if need.name() == name { other } else { name }]);
            // SAFETY: the sources of these tests are in these tests.
            unsafe { need.loader(&HOST).wait(Duration::from_millis(50)).load(need.name(), file) }
        };
        // SAFETY: as above.
        unsafe { apps.loader(&HOST).on_needed(bring).load(name, needing(1, &[other])) }.err()
    };
    let errors = thread::scope(|scope| {
        [scope.spawn(|| load("a", "b")), scope.spawn(|| load("b", "a"))].map(|load| load.join().unwrap())
    });
    // Who gives up first leaves its name to the other, who then finds the circle.
    let fair = |error: &Option<Error>| matches!(error, Some(Error::Busy { .. } | Error::Cycle { .. }));
    assert!(errors.iter().all(fair), "{errors:?}");
    is_empty(&apps);
}
