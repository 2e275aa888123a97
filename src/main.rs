//! Starts Till: arguments to calls, and exit codes.

use std::process::ExitCode;

fn main() -> ExitCode {
    till::cli::main()
}
