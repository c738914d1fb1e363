//! link: an extension at fixed addresses of a firmware, read back by `object`, compared with GNU ld, run, and refused.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod place;
mod run;
mod same;

use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SegmentFlags, elf};

use crate::support::{Place, names};

/// A firmware, as far as an extension sees it.
const FIRMWARE: &str = "#include <llext/extension.h>\n\
    int ticks = 5;\nint scale(int a) { return a * 3; }\n\
    EXPORT_SYMBOL(ticks);\nEXPORT_SYMBOL(scale);\nvoid _start(void) {}\n";

/// An extension with every kind of data, a constructor, and calls and data of the firmware's.
const APP: &str = "extern int ticks;\nint scale(int);\nextern int missing __attribute__((weak));\n\
    static int total = 7;\nstatic int calls[100];\nstatic const int order[] = {3, 1, 2};\n\
    int (*const through)(int) = scale;\nint shared;\n\
    __attribute__((constructor)) static void begin(void) { total += 1; }\n\
    int answer(int a) {\n\
    calls[a % 100]++;\ntotal += through(a) + order[a % 3] + ticks + (&missing ? missing : 0);\n\
    return total + calls[a % 100] * 1000;\n}\n";

/// Where the firmware lies: everything within reach of a call.
const FIRMWARE_AT: &str = "-Wl,-Ttext-segment=0x10000000";

/// A folder with a firmware and the object of an extension.
fn place() -> Place {
    let place = Place::new();
    place.write("firmware.c", FIRMWARE);
    place.write("app.c", APP);
    let host = ["-nostdlib", "-static", "-no-pie", "-fno-pic", "-Wl,--build-id=none", FIRMWARE_AT];
    cc(&place, &[&["-DLLEXT_HOST_BUILD", "firmware.c", "-o", "firmware.elf"][..], &host].concat());
    cc(&place, &["-c", "-fno-pic", "app.c", "-o", "app.o"]);
    place
}

fn cc(place: &Place, arguments: &[&str]) {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../include");
    let mut cc = Command::new("cc");
    cc.arg("-I").arg(include).args(["-O1", "-fno-asynchronous-unwind-tables", "-fno-stack-protector"]);
    let status = cc.args(arguments).current_dir(place.path("")).status().unwrap();
    assert!(status.success(), "cc {arguments:?}");
}

const LINK: &str = "link app.o --at code=0x11000000 --at constants=0x11800000 --at data=0x12000000 \
    --against firmware.elf -o app.elf";

fn linked(place: &Place) -> (PathBuf, Vec<u8>) {
    place.done(LINK);
    let path = place.path("app.elf");
    (path.clone(), std::fs::read(path).unwrap())
}

#[test]
fn what_is_told_is_what_the_file_says() {
    let place = place();
    let told = place.json(LINK);
    assert_eq!((told["exports"].as_u64(), told["imports"].as_u64()), (Some(3), Some(2)));
    let bytes = std::fs::read(place.path("app.elf")).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    assert_eq!(file.kind(), object::ObjectKind::Executable);
    assert!(file.sections().all(|section| section.relocations().next().is_none()));
    let regions = told["regions"].as_array().unwrap();
    assert_eq!(regions.len(), 3);
    let expected =
        [("code", elf::PF_R | elf::PF_X), ("constants", elf::PF_R), ("data", elf::PF_R | elf::PF_W)];
    for ((region, segment), (name, flags)) in regions.iter().zip(file.segments()).zip(expected) {
        assert_eq!(region["region"], name);
        assert_eq!(region["address"], segment.address());
        assert_eq!(region["bytes"], segment.size());
        assert_eq!(region["in_file"], segment.file_range().1);
        let SegmentFlags::Elf { p_flags, .. } = segment.flags() else { panic!() };
        assert_eq!(p_flags, flags);
    }
    assert_eq!(regions[0]["address"], 0x1100_0000);
    assert_eq!(regions[2]["address"], 0x1200_0000);
    let answer = file.symbol_by_name("answer").unwrap();
    assert_eq!(answer.section_index(), file.section_by_name(".text").map(|section| section.index()));
}

#[test]
fn the_other_commands_understand_it() {
    let place = place();
    linked(&place);
    let facts = place.json("inspect app.elf");
    assert_eq!(names(&facts["exports"]), ["answer", "shared", "through"]);
    assert_eq!(facts["load"]["parts"].as_array().unwrap().len(), 3);
    place.write("user.c", "int answer(int);\nint twice(int a) { return answer(a) * 2; }\n");
    cc(&place, &["-c", "-fno-pic", "user.c", "-o", "user.o"]);
    let again = "link user.o --at code=0x13000000 --against firmware.elf --against app.elf -o user.elf";
    assert_eq!(place.json(again)["imports"], 1);
    let mut run = place.run("run app.elf");
    run = run.refused("E0450");
    assert!(run.err.contains("linked for fixed addresses"), "{}", run.err);
}

#[test]
fn a_far_firmware_is_reached_by_stubs() {
    let place = place();
    let far = "link app.o --at code=0x7000000000 --against firmware.elf -o app.elf";
    place.refused(far, "E0774");
    place.write("far.c", "int scale(int);\nint far(int a) { return scale(a); }\n");
    cc(&place, &["-c", "-fno-pic", "far.c", "-o", "far.o"]);
    let told = place.json("link far.o --at code=0x7000000000 --against firmware.elf -o far.elf");
    assert_eq!(told["stubs"], 1);
    assert_eq!(told["regions"][1]["region"], "constants");
}

#[test]
fn bad_addresses_are_refused() {
    let place = place();
    let link = |at: &str| format!("link app.o {at} --against firmware.elf -o app.elf");
    place.refused(&link("--at data=0x12000000"), "E0770");
    place.refused(&link("--at code=0x11000000 --at code=0x11000000"), "E0771");
    let odd = place.refused(&link("--at code=0x11000004 --at constants=0x12000000"), "E0772");
    assert!(odd.err.contains("code: misaligned (found 0x11000004, expected a multiple of "), "{}", odd.err);
    let both = place.refused(&link("--at code=0x11000000 --at data=0x11000000"), "E0773");
    assert!(both.err.contains("data: at 0x11000000 on what code has at 0x11000000"), "{}", both.err);
    let host = place.refused(&link("--at code=0x10000000"), "E0773");
    assert!(host.err.contains("code: at 0x10000000 on what firmware.elf has at 0x10000000"), "{}", host.err);
    assert_eq!(place.run(&link("--at image=0")).status, 2);
    assert!(!place.path("app.elf").exists());
}

/// An address of more than 32 bits was once cut, and lay where nobody had looked.
#[test]
fn an_address_is_as_wide_as_the_file_says() {
    let place = Place::new();
    place.write("firmware.c", FIRMWARE);
    place.write("small.c", "int scale(int);\nint twice(int a) { return scale(a) * 2; }\n");
    let host = ["-nostdlib", "-static", "-no-pie", "-fno-pic", "-Wl,--build-id=none", FIRMWARE_AT];
    cc(&place, &[&["-m32", "-DLLEXT_HOST_BUILD", "firmware.c", "-o", "firmware.elf"][..], &host].concat());
    cc(&place, &["-m32", "-c", "-fno-pic", "small.c", "-o", "small.o"]);
    let link = |at: &str| format!("link small.o --at code={at} --against firmware.elf -o small.elf");
    place.done(&link("0xfffff000"));
    for at in ["0x111000000", "0xfffffff0"] {
        place.refused(&link(at), "E0774");
    }
}

#[test]
fn what_cannot_be_linked_is_refused() {
    let place = place();
    place.write("list.txt", "ticks\nscale\n");
    place.refused("link app.o --at code=0x11000000 --against list.txt -o app.elf", "E0775");
    linked(&place);
    place.refused("link app.elf --at code=0x11000000 --against firmware.elf -o again.elf", "E0776");
    place.write("late.c", "int atexit(void (*)(void));\nvoid f(void);\nint g(void) { return atexit(g); }\n");
    cc(&place, &["-w", "-c", "late.c", "-o", "late.o"]);
    let bound = place.refused("link late.o --at code=0x11000000 --against firmware.elf -o late.elf", "E0777");
    assert!(bound.err.contains("late.o: atexit is the run time's"), "{}", bound.err);
    // A firmware may have a function of that name, which would keep what outlives the extension.
    place.write("names.txt", "f\n");
    for (name, code) in [
        ("__cxa_atexit", "E0777"),
        ("__aeabi_atexit", "E0777"),
        ("__cxa_finalize", "E0777"),
        ("llext_panic", "E0730"),
    ] {
        place.write("bound.c", format!("void {name}(void), f(void);\nvoid g(void) {{ {name}(); f(); }}\n"));
        cc(&place, &["-w", "-c", "bound.c", "-o", "bound.o"]);
        place.refused("link bound.o --at code=0x11000000 --against firmware.elf -o bound.elf", code);
        place.done("check bound.o --against names.txt");
    }
    let noreloc = "__attribute__((section(\".llext.rodata.noreloc\"))) const void *const here = &here;\n";
    place.write("noreloc.c", noreloc);
    cc(&place, &["-c", "-fno-pic", "noreloc.c", "-o", "noreloc.o"]);
    place.refused("link noreloc.o --at code=0x11000000 --against firmware.elf -o no.elf", "E0144");
    place.write("lacks.c", "int a(void), b(void);\nint g(void) { return a() + b(); }\n");
    cc(&place, &["-c", "lacks.c", "-o", "lacks.o"]);
    let lacks =
        place.refused("link lacks.o --at code=0x11000000 --against firmware.elf -o lacks.elf", "E0730");
    assert!(lacks.err.contains("2 missing from firmware.elf: a, b"), "{}", lacks.err);
}
