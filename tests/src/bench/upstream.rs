//! A fast provider for benchmarks: answers are made once, only their bytes are sent.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use anyhow::Result;

use crate::provider::{Step, chat_stream, completion, json_reply};

/// Starts it and returns its origin; it serves until the process ends.
///
/// Bodies that ask for a stream get 40 words, others one JSON reply of about a kilobyte.
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
        (&*stream).write_all(if wants_stream { streamed } else { whole }).ok()?;
    }
}
