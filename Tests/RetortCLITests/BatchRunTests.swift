import CanonicalJSON
import Foundation
import TeacherServer
import Testing

/// The batch mode of the real program: upload, wait, fetch, and go on after a crash.
@Suite(.serialized) struct BatchRunTests {
    private static let batch = ", mode: batch, poll-interval: 0.05"

    private func scene() async throws -> TeacherScene {
        var settings = ServerSettings()
        settings.batchDelay = 400
        let scene = try await TeacherScene(questions: 60, settings: settings)
        try scene.write(Self.batch)
        return scene
    }

    /// Starts a run and kills it as soon as the server is in a state.
    private func kill(_ scene: TeacherScene, _ name: String, when isReached: () throws -> Bool) rethrows {
        let folder = scene.workplace.folder
        let process = try! Program.start(
            ["run", "asked.yaml", "--store", "artifacts"], in: folder,
            output: folder.appendingPathComponent("o-\(name)"), errors: folder.appendingPathComponent("e-\(name)"))
        while process.isRunning, try !isReached() { usleep(500) }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        while scene.server.openConnections > 0 { usleep(200) }
    }

    /// Each action that asks sends one batch.
    private func actions(_ run: Program.Outcome) throws -> Int {
        try ["cots", "rectified", "corrupted"].reduce(0) { try $0 + run.stage($1)["executed"]!.integer! }
    }

    @Test func questionsGoInBatchesAndComeBackAsFromTheChatMode() async throws {
        let scene = try await scene()
        let run = try scene.run()
        #expect(run.status == 0, "\(run.errors)")
        #expect(scene.server.requests == 0)
        #expect(try scene.server.batches == actions(run))
        #expect(try scene.durableAnswers() == 120)
        try scene.write()
        #expect(try scene.run(store: "direct").status == 0)
        #expect(scene.server.requests == 120)
        #expect(try scene.manifests() == scene.manifests(store: "direct"))
    }

    @Test func aRunKilledWhileItWaitsFindsItsBatchesAgain() async throws {
        let scene = try await scene()
        // As the first batches stand there; while they are worked on; when the first answers may be in.
        kill(scene, "created") { scene.server.batches >= 1 }
        kill(scene, "waiting") { scene.server.batches >= 2 }
        try kill(scene, "answered") { try scene.durableAnswers() >= 1 }
        kill(scene, "later") { scene.server.batches >= 4 }
        let run = try scene.run()
        #expect(run.status == 0, "\(run.errors)")
        #expect(scene.server.requests == 0)
        #expect(scene.server.batchAnswers == 120, "no question twice")
        #expect(try scene.durableAnswers() == 120)
        let batches = scene.server.batches
        try scene.write()
        let direct = try scene.run(store: "direct")
        #expect(direct.status == 0, "\(direct.errors)")
        #expect(try batches == actions(direct), "no batch twice")
        #expect(try scene.manifests() == scene.manifests(store: "direct"))
    }
}
