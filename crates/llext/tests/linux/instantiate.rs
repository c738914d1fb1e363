//! A shared object instantiated again in a process: every kind of relocation, and protection as after a load.

use crate::common::compile;
use llext::{Error, Host, Plugin};

extern "C" fn host_add(a: i32, b: i32) -> i32 {
    a + b
}

static LIMIT: i32 = 1_000;

llext::exports! { static HOST; fn host_add(a: i32, b: i32) -> i32; static LIMIT: i32; }

/// Addresses of all kinds: of variables and functions of its own and of the host's, in variables, constants and the GOT, and
/// of what a resolver chooses, which counts how often it is asked.
const SOURCE: &str = "
    extern int host_add(int, int); extern const int LIMIT;
    int valued = 10, zero[3]; static int hidden = 20, asked;
    int *address = &valued, *behind = &zero[1];
    static int *own = &hidden;
    static int one(int number) { return number + 1; }
    int (*const functions[])(int, int) = { host_add, host_add };
    static int (*const steps[])(int) = { one };
    const int *limit = &LIMIT;
    static void *choose(void) { asked++; return (void *)one; }
    __attribute__((ifunc(\"choose\"), visibility(\"hidden\"))) int chosen(int);
    int (*slot)(int) = chosen;
    __attribute__((constructor)) static void begin(void) { zero[2] = functions[1](zero[2], 5); }
    int probe(void) {
        int *at = address;
        address = own;
        return ++*at + host_add(++*behind, *limit) + steps[0](++*own) + slot(0) + zero[2] + 10000 * asked;
    }";

fn host() -> Host {
    Host::without_libc(&HOST).unwrap()
}

fn first<'h>(host: &'h Host, bytes: &[u8]) -> Plugin<'h> {
    // SAFETY: the sources are in this file.
    unsafe { host.loader().keep_initial_data(true).load("first", bytes) }.unwrap()
}

fn again<'h>(host: &'h Host, name: &str, of: &Plugin<'h>) -> Result<Plugin<'h>, Error> {
    // SAFETY: as above; each may be there twice.
    unsafe { host.loader().instantiate(name, of) }
}

fn probe(plugin: &Plugin<'_>) -> i32 {
    // SAFETY: that is its type there.
    unsafe { plugin.symbol::<extern "C" fn() -> i32>("probe") }.unwrap().call(())
}

/// What may be done with each page of a plugin, in the order of its regions.
fn protections(plugin: &Plugin<'_>) -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let of = |address: usize| {
        let holds = |line: &&str| {
            let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let number = |text| usize::from_str_radix(text, 16).unwrap();
            (number(start)..number(end)).contains(&address)
        };
        maps.lines().find(holds).unwrap().split(' ').nth(1).unwrap().to_owned()
    };
    let pages =
        |region: llext::registry::Region| (region.address..region.address + region.size).step_by(4096);
    plugin.regions().flat_map(pages).map(of).collect()
}

/// The same source, linked in ways that differ in tables and in what is read-only.
fn files() -> Vec<Vec<u8>> {
    let packed = if cfg!(target_arch = "riscv64") { "-Wl,-z,now" } else { "-Wl,-z,pack-relative-relocs" };
    let ways = ["-Wl,-z,lazy", "-Wl,-z,now", "-Wl,-z,norelro", "-Wl,--hash-style=sysv", packed];
    let file = |way| compile(&format!("again{way}"), SOURCE, &["-O1", "-shared", "-nostdlib", way]);
    ways.map(file).into()
}

#[test]
fn whatever_holds_an_address_holds_the_instance_s_own() {
    let host = host();
    for bytes in files() {
        let left = first(&host, &bytes);
        let expected = [probe(&left), probe(&left), probe(&left)];
        let right = again(&host, "right", &left).unwrap();
        assert_eq!([probe(&right), probe(&right), probe(&right)], expected);
        let third = again(&host, "third", &right).unwrap();
        drop((left, right));
        assert_eq!([probe(&third), probe(&third), probe(&third)], expected);
        assert_eq!(expected[0], 11 + 1_001 + 22 + 1 + 5 + 10_000);
    }
}

#[test]
fn an_instance_is_protected_as_the_first_and_nothing_of_it_is_written_and_run() {
    let host = host();
    for bytes in files() {
        let left = first(&host, &bytes);
        let right = again(&host, "right", &left).unwrap();
        let pages = protections(&right);
        assert_eq!(pages, protections(&left));
        assert!(
            pages.iter().any(|page| page == "r-xp") && pages.iter().any(|page| page == "rw-p"),
            "{pages:?}"
        );
        assert!(pages.iter().all(|page| !(page.contains('w') && page.contains('x'))), "{pages:?}");
    }
}

#[test]
fn many_are_made_of_one_at_a_time_side_by_side() {
    let (host, bytes) = (host(), files().remove(0));
    let left = first(&host, &bytes);
    let expected = probe(&left);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (host, left) = (&host, &left);
            scope.spawn(move || {
                for number in 0..25 {
                    let one = again(host, &format!("{thread} {number}"), left).unwrap();
                    assert_eq!(probe(&one), expected);
                }
            });
        }
    });
    assert_eq!(host.registry().iter().count(), 1);
}

#[test]
fn a_shared_object_without_variables_or_imports_can_be_there_twice() {
    let host = host();
    let bytes = compile("again_small", "int probe(void) { return 7; }", &["-O1", "-shared", "-nostdlib"]);
    let left = first(&host, &bytes);
    let right = again(&host, "right", &left).unwrap();
    drop(left);
    assert_eq!(probe(&right), 7);
}
