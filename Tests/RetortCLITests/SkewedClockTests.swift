import Foundation
import TestServers
import Testing

/// A bucket's server checks when a request was signed.
@Suite(
    .enabled(if: S3Server.isInstalled, "rclone is not installed: scripts/install-services"),
    .enabled(if: WallClock.compiler != nil, "no clang or cc to build a wrong clock with"))
struct SkewedClockTests {
    @Test(arguments: [1, -1]) func aClockThatTheServerRefusesIsSaidAndTheRunGoesOn(_ days: Int) throws {
        let server = try S3Server()
        let place = try Workplace()
        let clock = try WallClock(in: place)
        try clock.jump(days: days)
        let credentials = ["AWS_ACCESS_KEY_ID=\(S3Server.accessKey)", "AWS_SECRET_ACCESS_KEY=\(S3Server.secretKey)"]
        let url = "s3://\(server.bucket)/team?endpoint=\(server.endpoint)"
        let run = try place.program(
            "/usr/bin/env",
            clock.preloading + credentials + [
                Program.folder.appendingPathComponent("retort").path, "run", "pipelines/quickstart.yaml", "--target",
                "questions", "--set", "questions=20", "--format", "json", "--tier", url,
            ])
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output.contains(
                "is not used any more in this run: the server refuses the request because this machine's clock differs "
                    + "from its own; set the clock, for instance with NTP"), "\(run.output)")
        #expect(!run.output.contains(S3Server.secretKey) && !run.errors.contains(S3Server.secretKey))
        server.stop()
    }
}
