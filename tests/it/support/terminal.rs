//! A terminal with the real binary in its foreground and a person at the keyboard. Knows no command of ours.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::desk::Desk;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the keys Ctrl-C and Ctrl-D send.
pub const CTRL_C: &str = "\u{3}";
pub const CTRL_D: &str = "\u{4}";

/// The terminal; what runs in it ends with it.
pub struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    child: Child,
    /// All that was shown so far.
    pub shown: String,
    /// How far it has been waited for.
    at: usize,
}

impl Terminal {
    /// Runs the binary at a desk.
    pub fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        tcsetwinsize(&ours, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = std::ffi::OsString::from_vec(ptsname(&ours, Vec::new()).unwrap().into_bytes());
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let theirs = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).unwrap();
        // Ctrl-C reaches only what has the terminal for its own, which takes a session of its own; and what a shell has
        // started in the background ignores it, with all its children.
        let mut command = Command::new("setsid");
        command.args(["-c", "env", "--default-signal=INT", env!("CARGO_BIN_EXE_promptops")]);
        command.args(arguments).current_dir(desk.path());
        command.env_clear().envs(desk.surroundings()).env("TERM", "xterm");
        command.stdin(theirs.try_clone().unwrap()).stdout(theirs.try_clone().unwrap()).stderr(theirs);
        let child = command.spawn().expect("setsid of util-linux");
        let keyboard = File::from(ours);
        let screen = watch(keyboard.try_clone().unwrap());
        Self { keyboard, screen, child, shown: String::new(), at: 0 }
    }

    /// Waits until this is shown, after what was waited for before.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        loop {
            if let Some(found) = self.shown[self.at..].find(text) {
                self.at += found + text.len();
                return;
            }
            let Ok(bytes) = self.screen.recv_timeout(PATIENCE) else {
                panic!("`{text}` is not shown:\n{}", self.shown);
            };
            self.shown += &String::from_utf8_lossy(&bytes);
        }
    }

    /// Presses these keys.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for a question, then types an answer and the return key.
    #[track_caller]
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.expect(question);
        self.expect("]: ");
        self.press(&format!("{answer}\r"));
    }

    /// Waits until the binary has ended; gives how, and all that was shown.
    pub fn end(mut self) -> (ExitStatus, String) {
        loop {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.shown += &String::from_utf8_lossy(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.shown),
            }
        }
        assert!(!self.shown.contains("panicked"), "{}", self.shown);
        (self.child.wait().unwrap(), std::mem::take(&mut self.shown).replace('\r', ""))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already, in most cases.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads the screen until nobody writes to it any more.
fn watch(mut screen: File) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // Linux says EIO once the last writer is gone.
        while let Ok(read @ 1..) = screen.read(&mut buffer) {
            if send.send(buffer[..read].to_vec()).is_err() {
                break;
            }
        }
    });
    receive
}
