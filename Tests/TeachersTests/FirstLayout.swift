import CanonicalJSON
import Foundation
import GRDB

@testable import Teachers

/// Writes a ledger as the first version of Retort did.
enum FirstLayout {
    static func write(_ key: RequestKey, _ response: TeacherResponse, to path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE responses (
                        key BLOB PRIMARY KEY NOT NULL, teacher TEXT NOT NULL, response TEXT NOT NULL
                    ) WITHOUT ROWID;
                    PRAGMA user_version = 1;
                    """)
            try db.execute(
                sql: "INSERT INTO responses VALUES (?, 'm', ?)",
                arguments: [Data(key.bytes), response.json.canonicalText])
        }
        try queue.close()
    }
}
