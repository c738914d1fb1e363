//! What dlopen has to look in before it comes to the file it loads: its own exports weigh in.

use object::{Object, ObjectSymbol};

/// This program and its libraries, in dlopen's order.
pub(crate) fn of_this_program() -> Result<String, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot read this program: {error}");
    let program = std::fs::read("/proc/self/exe").map_err(|error| unreadable(&error))?;
    let file = object::File::parse(&*program).map_err(|error| unreadable(&error))?;
    let exported = |symbol: &object::Symbol<'_, '_>| symbol.is_definition() && symbol.is_global();
    let exports = file.dynamic_symbols().filter(exported).count();
    let mut searched = format!("this program, {exports} dynamic exports");
    for library in file.import_libraries().map_err(|error| unreadable(&error))? {
        let library = library.map_err(|error| unreadable(&error))?;
        searched += &format!(", {}", String::from_utf8_lossy(library.name()));
    }
    Ok(searched)
}
