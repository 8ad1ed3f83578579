//! A fast provider for benchmarks: answers are made once, only their bytes are sent.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Result;

use crate::provider::{Step, chat_stream, completion, json_reply};

/// The time between the first word and the others.
const AFTER_FIRST: Duration = Duration::from_millis(3);

/// Starts it and returns its origin; it serves until the process ends.
///
/// Bodies that ask for a stream get 40 words, the first a little before the others, as a model's first
/// token is; others get one JSON reply of about a kilobyte.
///
/// # Errors
/// When no socket can be opened.
pub fn start() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let words = vec!["word "; 40];
    let replies = Arc::new((
        bytes(json_reply(200, &[], &completion(&"a fairly plain sentence. ".repeat(30)))),
        bytes(chat_stream(&words)),
    ));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let replies = replies.clone();
            thread::spawn(move || serve(&stream, &replies.0, &replies.1));
        }
    });
    Ok(format!("http://{address}"))
}

/// How far a streamed reply goes up to the end of its first word's event.
fn first_event(reply: &[u8]) -> usize {
    let word = b"word ";
    let at = reply.windows(word.len()).position(|window| window == word).unwrap_or(0);
    let end = reply.iter().skip(at).position(|byte| *byte == b'\n').unwrap_or(0);
    // The event's blank line, and the chunk's own end.
    at + end + 4
}

fn bytes(steps: Vec<Step>) -> Vec<u8> {
    let sent = steps.into_iter().filter_map(|step| match step {
        Step::Send(bytes) => Some(bytes),
        Step::Wait(_) | Step::Stall | Step::Reset | Step::Close => None,
    });
    sent.flatten().collect()
}

fn serve(stream: &TcpStream, whole: &[u8], streamed: &[u8]) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    loop {
        let mut length = 0_usize;
        loop {
            line.clear();
            reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
            if line == "\r\n" {
                break;
            }
            let value =
                line.strip_prefix("Content-Length: ").or(line.strip_prefix("content-length: "));
            length = value.map_or(length, |value| value.trim().parse().unwrap_or(0));
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let wants_stream = body.windows(13).any(|window| window == b"\"stream\":true");
        let reply = if wants_stream { streamed } else { whole };
        let (first, rest) = reply.split_at(if wants_stream { first_event(reply) } else { 0 });
        if wants_stream {
            (&*stream).write_all(first).ok()?;
            thread::sleep(AFTER_FIRST);
        }
        (&*stream).write_all(rest).ok()?;
    }
}
