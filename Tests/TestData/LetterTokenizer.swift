/// A tokenizer.json whose tokens are letters, for tests that have to know every id.
package enum LetterTokenizer {
    /// - Parameters:
    ///   - letters: a token each, and its id.
    ///   - end: the id of the special token `<end>`.
    package static func json(_ letters: [(letter: Character, id: Int)], end: Int) -> String {
        let entries = letters.map { "\"\($0.letter)\":\($0.id)" }
        return #"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":\#(end),"content":"<end>","#
            + #""single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"#
            + #""normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"#
            + #""use_regex":false},"post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"#
            + #""trim_offsets":true,"use_regex":true},"model":{"type":"BPE","dropout":null,"unk_token":null,"#
            + #""continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"#
            + #""ignore_merges":false,"vocab":{"<end>":\#(end),\#(entries.joined(separator: ","))},"merges":[]}}"#
    }
}
