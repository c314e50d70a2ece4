import CanonicalJSON
import ContentStore
import Reasoning

/// Ids for questions that come without one: made of their content, so that inserting a question renames no other.
enum QuestionID {
    static func derived(task: String, question: String) -> String { "\(task)-\(Digest(of: question).short)" }
}

/// BIG-Bench-Hard's own layout: `{"canary": …, "examples": [{"input": …, "target": …}]}`.
enum BBHFile {
    /// - Throws: ``DataFileError`` naming the file and the example.
    static func questions(_ bytes: [UInt8], file: String, task: String) throws -> [Question] {
        let document: JSON
        do throws(JSONSyntaxError) {
            document = try JSON.parse(bytes)
        } catch {
            throw DataFileError("\(file):\(error.line):\(error.column)", error.message)
        }
        guard let examples = document["examples"]?.array else {
            throw DataFileError(file, "has no list \"examples\", as a BIG-Bench-Hard task file does")
        }
        guard !examples.isEmpty else { throw DataFileError(file, "holds no examples") }
        let description = document["description"]?.string
        var occurrences: [[UInt8]: Int] = [:]
        return try examples.enumerated().map { index, example in
            guard let input = example["input"]?.string, let target = example["target"]?.string, !input.isEmpty,
                !target.isEmpty
            else {
                throw DataFileError(file, "example \(index + 1) has no texts \"input\" and \"target\"")
            }
            // BBH asks a few questions twice; the copies get ids of their own.
            let count = occurrences[Array(input.utf8), default: 0] + 1
            occurrences[Array(input.utf8)] = count
            let id = QuestionID.derived(task: task, question: input) + (count > 1 ? "-\(count)" : "")
            return Question(id: id, task: task, question: input, answer: target, taskDescription: description)
        }
    }
}
