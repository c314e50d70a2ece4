import CanonicalJSON
import ContentStore
import Reasoning

/// Sets of verified answers held against a first one, question by question.
struct AnswerComparison {
    /// The verdicts of one output by question.
    struct Answers {
        let name: String
        private(set) var verdicts: [String: (task: String, correct: Bool)] = [:]

        /// - Throws: ``NotAnswers`` where records have no verdict.
        init(_ name: String, _ artifact: Artifact, _ store: LocalStore) throws {
            self.name = name
            store.fetchAhead(artifact)
            for shard in artifact.shards {
                for record in try StoredRecords.decode(store.read(shard), of: artifact, shard) {
                    guard let id = record["id"]?.string, let correct = record["correct"]?.bool else {
                        throw NotAnswers(name: name, type: artifact.type)
                    }
                    verdicts[id] = (record["task"]?.string ?? "", correct)
                }
            }
        }
    }

    struct NotAnswers: Error, CustomStringConvertible {
        let name: String
        let type: ArtifactType

        var description: String {
            "\(name) holds \(type), whose records have no verdict (\"correct\"); compare the answers of generation stages"
        }
    }

    /// One output against the first, on the questions that both answered.
    struct Row {
        let name: String
        let comparison: PairedComparison
        /// In the order of the tasks' names.
        let tasks: [(name: String, comparison: PairedComparison)]
        /// Questions that only it, or only the first, got right; sorted.
        let gained: [String]
        let lost: [String]
        /// Questions that only one of the two answered.
        let leftOut: Int
    }

    let first: Answers
    let rows: [Row]

    /// O(answers · log(answers)).
    init(_ first: Answers, with others: [Answers]) {
        self.first = first
        rows = others.map { other in
            var all = PairedComparison()
            var tasks: [String: PairedComparison] = [:]
            var (gained, lost): ([String], [String]) = ([], [])
            for (id, verdict) in other.verdicts {
                guard let known = first.verdicts[id] else { continue }
                all.add(first: known.correct, second: verdict.correct)
                tasks[verdict.task, default: PairedComparison()].add(first: known.correct, second: verdict.correct)
                if verdict.correct && !known.correct { gained.append(id) }
                if known.correct && !verdict.correct { lost.append(id) }
            }
            return Row(
                name: other.name, comparison: all,
                tasks: tasks.sorted { compareUTF8($0.key, $1.key) < 0 }.map { ($0.key, $0.value) },
                gained: gained.sorted { compareUTF8($0, $1) < 0 }, lost: lost.sorted { compareUTF8($0, $1) < 0 },
                leftOut: first.verdicts.count + other.verdicts.count - 2 * all.count)
        }
    }
}
