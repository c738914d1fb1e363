//! Extensions that CMake builds, with the functions that LLEXT has for it.

use std::process::Command;

use crate::support::{Place, names};

const LISTS: &str = r#"
cmake_minimum_required(VERSION 3.20)
project(demo C)
include($ENV{LLEXT_ROOT}/cmake/extension.cmake)
add_llext_target(hello OUTPUT hello.llext SOURCES hello.c more.c)
llext_compile_definitions(hello ANSWER=41)
llext_include_directories(hello headers)
llext_compile_options(hello -Wall -Werror)
llext_compile_features(hello c_std_99)
add_llext_command(TARGET hello PRE_BUILD COMMAND ${CMAKE_COMMAND} -E touch before)
add_llext_command(TARGET hello POST_BUILD
  COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_PROPERTY:hello,pkg_input> linked.elf)
add_llext_command(TARGET hello POST_PKG
  COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_PROPERTY:hello,pkg_output> packed.llext)
"#;
const HELLO: &str = "#include <llext/extension.h>\n#include \"more.h\"\n\
    int answer(void) { return more(ANSWER); }\n\
    LL_EXTENSION_SYMBOL(answer);\n";
const MORE: &str = "int more(int value) { return value + 1; }\n";

/// A project, configured with these options and built in the folder `made`.
fn built(options: &[&str]) -> Place {
    let place = Place::new();
    place.write("CMakeLists.txt", LISTS);
    place.write("hello.c", HELLO);
    place.write("more.c", MORE);
    place.write("headers/more.h", "int more(int value);\n");
    let (source, made) = (place.path(""), place.path("made"));
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(&source).arg("-B").arg(&made).args(options);
    done(configure.env("LLEXT_ROOT", concat!(env!("CARGO_MANIFEST_DIR"), "/../..")));
    done(Command::new("cmake").arg("--build").arg(&made));
    place
}

fn done(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{command:?}: {}{}", text[0], text[1]);
}

#[test]
fn every_kind_of_extension_is_built_packed_and_runs() {
    for (kind, said) in [("OBJECT", "relocatable"), ("RELOCATABLE", "relocatable"), ("SHAREDLIB", "shared")] {
        let place = built(&[&format!("-DLLEXT_TYPE={kind}")]);
        let facts = place.json("inspect made/hello.llext");
        assert_eq!(names(&facts["exports"]), ["answer"], "{kind}");
        assert!(facts["kind"].as_str().unwrap_or_default().contains(said), "{kind}: {}", facts["kind"]);
        assert!(!names(&facts["sections"]).contains(&".comment"), "{kind}");
        if cfg!(target_os = "linux") {
            assert_eq!(place.done("run -q made/hello.llext --call answer").out, "answer() = 42\n", "{kind}");
        }
    }
}

#[test]
fn commands_run_before_the_build_after_it_and_after_the_packing() {
    let place = built(&[]);
    assert!(place.path("made/before").exists());
    let read = |file: &str| std::fs::read(place.path(file)).unwrap();
    assert_eq!(read("made/packed.llext"), read("made/hello.llext"));
    assert!(read("made/linked.elf").len() > read("made/packed.llext").len(), "nothing was stripped");
}

#[test]
fn extensions_are_built_for_other_processors() {
    for (prefix, flags, machine) in [
        ("arm-none-eabi-", "-mcpu=cortex-m3 -mthumb", "arm"),
        ("riscv64-unknown-elf-", "-march=rv32imac -mabi=ilp32", "riscv"),
    ] {
        let place = built(&[
            "-DCMAKE_SYSTEM_NAME=Generic",
            "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
            &format!("-DCMAKE_C_COMPILER={prefix}gcc"),
            &format!("-DCMAKE_C_FLAGS={flags} -ffreestanding"),
        ]);
        let facts = place.json("inspect made/hello.llext");
        let found = facts["machine"].as_str().unwrap_or_default().to_lowercase();
        assert!(found.contains(machine), "{found}");
        assert_eq!(names(&facts["exports"]), ["answer"]);
    }
}
