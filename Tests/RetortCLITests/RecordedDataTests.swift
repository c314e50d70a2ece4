import CanonicalJSON
import Foundation
import Testing

/// The published answers of code-davinci-002 on BIG-Bench-Hard, where they lie beside the checkout.
@Suite(.enabled(if: Program.sharedData != nil, "the recorded BIG-Bench-Hard answers are not on this machine"))
struct RecordedDataTests {
    @Test func filteringAgreesWithThePublishedAccuracies() throws {
        let workplace = try Workplace()
        let outcome = try workplace.retort(
            "run", "pipelines/bbh-recorded.yaml", "--set", "data=\(Program.sharedData!.path)", "--target",
            "recorded-accuracy", "--format", "json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let cots = outcome.output.split(separator: "\n").compactMap { try? JSON.parse(String($0)) }.first {
            $0["event"] == "stage" && $0["stage"] == "cots"
        }
        #expect(cots?["outputs"]?["correct"]?["records"] == 4816)
        #expect(cots?["outputs"]?["wrong"]?["records"] == 1695)
        let rows = try workplace.retort(
            "show", "pipelines/bbh-recorded.yaml", "recorded-accuracy.metrics", "--set",
            "data=\(Program.sharedData!.path)"
        ).output.split(separator: "\n").map { try JSON.parse(String($0)) }
        let all = rows.first { $0["id"] == "all" }!
        #expect(all["n"] == 6511)
        #expect(all["unparsed"] == 236)
        let published = [
            ("boolean_expressions", 232, 18), ("dyck_languages", 142, 108), ("formal_fallacies", 126, 124),
            ("tracking_shuffled_objects_five_objects", 224, 26), ("word_sorting", 101, 149), ("web_of_lies", 238, 12),
        ]
        for (task, right, wrong) in published {
            let row = rows.first { $0["id"]?.string == "task:\(task)" }
            #expect(row?["correct"]?.integer == right, "\(task)")
            #expect(row?["n"]?.integer == right + wrong, "\(task)")
        }
    }
}
