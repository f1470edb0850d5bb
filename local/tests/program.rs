//! The program from outside: what it prints, how it ends.

#[cfg(test)]
mod program {
    use std::{
        collections::BTreeMap,
        io::{BufRead, BufReader},
        net::TcpListener,
        process::{Child, ChildStdout, Command, Output, Stdio},
    };

    fn program(arguments: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_local"));
        program.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).env_clear();
        program
    }

    /// A program that runs, and the lines of its welcome up to the last.
    fn running(arguments: &[&str]) -> (Child, Vec<String>, BufReader<ChildStdout>) {
        let mut child = program(arguments).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.contains("Ctrl-C stops it.")) {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "{lines:?}");
            lines.push(line);
        }
        (child, lines, output)
    }

    fn signal(child: &Child, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn the_kept_environments_are_what_functions_elsewhere_need() {
        let kept = include_str!("../env/functions.env").lines().filter(|line| !line.starts_with('#'));
        let kept: BTreeMap<_, _> = kept.map(|line| line.split_once('=').unwrap()).collect();
        let containers: serde_json::Value = serde_json::from_str(include_str!("../env/containers.json")).unwrap();
        let (mut child, lines, _output) = running(&["--services-only", "--port", "0", "--memory"]);
        signal(&child, "TERM");
        child.wait().unwrap();

        let welcome = lines.concat();
        let told = welcome.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        for (name, value) in told {
            // Ports are free ones here, and PORT + 1 and + 2 by default.
            let same = |kept: &str| kept == value || name.ends_with("_URL") || name.contains("_URL_");
            assert!(kept.get(name).is_some_and(|kept| same(kept)), "{name}={value} is not in functions.env");
            if let Some(kept) = containers["Parameters"][name].as_str() {
                assert!(same(kept), "{name} is {kept} in containers.json");
            }
        }
        for (name, value) in kept {
            let in_container = value.replace("127.0.0.1:300", "host.docker.internal:300");
            let expected = if name == "PORTAL_URL" { value } else { &in_container };
            let ignored = name == "AWS_ENDPOINT_URL_DYNAMODB_STREAMS";
            assert!(ignored || containers["Parameters"][name] == *expected, "{name} in containers.json");
        }
    }

    /// One line on standard error, code 1.
    fn refused(arguments: &[&str]) -> String {
        let Output { status, stderr, .. } = program(arguments).output().unwrap();
        let stderr = text(&stderr);
        assert_eq!((status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
        stderr
    }

    #[test]
    fn it_says_where_it_is_and_ends_cleanly_when_it_is_told_to() {
        for name in ["INT", "TERM"] {
            let (mut child, lines, _output) = running(&["--port", "0", "--memory"]);
            let welcome = lines.concat();
            for said in ["Portico is running at http://127.0.0.1:", "owner@example.com", "/_local/mailbox", "curl "] {
                assert!(welcome.contains(said), "{welcome}");
            }

            signal(&child, name);

            assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
        }
    }

    #[test]
    fn a_killed_program_leaves_a_folder_that_the_next_one_takes() {
        let place = tempfile::tempdir().unwrap();
        let arguments = ["--port", "0", "--data", place.path().to_str().unwrap()];
        let (mut first, lines, _output) = running(&arguments);
        let password = |lines: &[String]| {
            let line = lines.iter().find(|line| line.contains("Password")).unwrap();
            line.split_whitespace().nth(1).unwrap().to_owned()
        };
        let made = password(&lines);
        assert!(refused(&arguments).contains("another portal is using the data folder"));

        signal(&first, "KILL");
        first.wait().unwrap();
        let (mut second, lines, _output) = running(&arguments);

        assert_eq!(password(&lines), made);
        signal(&second, "TERM");
        second.wait().unwrap();
    }

    #[test]
    fn a_taken_port_is_one_clear_line() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();

        let said = refused(&["--port", &port, "--memory"]);

        assert!(said.contains(&format!("port {port} of 127.0.0.1 cannot be used")), "{said}");
    }

    #[test]
    fn services_alone_print_what_functions_need() {
        let (mut child, lines, _output) = running(&["--services-only", "--port", "0", "--memory"]);

        let welcome = lines.concat();
        for name in ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SESV2", "PORTAL_TABLE", "USER_POOL_CLIENT_ID"] {
            assert!(welcome.contains(&format!("export {name}=")), "{welcome}");
        }
        signal(&child, "INT");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
